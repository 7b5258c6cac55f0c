using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>Keeps up the marks of folder limits: new ones for what came into the folders, others for those that never came.</summary>
/// <remarks>
/// The first admin's node that is up looks now and then. Where nothing came, nothing is written; when two write (a split
/// pool), both marks hold, and neither has a reason to write another. A renewal forgets those before it that judge nothing
/// any more, so few are left. docs/decisions/rights.md. Thread: the engine's loop.
/// </remarks>
/// <param name="interval">How often to look.</param>
internal sealed class MarkKeeper(
    NodePorts ports, PoolView view, PoolLog log, VolumeSet volumes, NodeDiary diary, TimeSpan interval)
{
    private readonly HashSet<TransactionId> _missed = [];
    private long _looked = ports.Time.GetTimestamp();

    /// <summary>Looks, if it is time to.</summary>
    /// <param name="stop">The node ends: nothing is written any more.</param>
    public async Task Look(CancellationToken stop)
    {
        if (ports.Time.GetElapsedTime(_looked) < interval)
        {
            return;
        }

        _looked = ports.Time.GetTimestamp();
        foreach (IHostedVolume volume in volumes.Open.ToArray())
        {
            FolderRights limits = log.State.Folders.GetValueOrDefault(volume.Log.Volume, FolderRights.None);
            if (limits.IsEmpty || !view.IsFirstAdminUp || stop.IsCancellationRequested)
            {
                continue;
            }

            await ReplaceLost(volume, limits);
            await Renew(volume, stop);
        }
    }

    /// <summary>A mark that was not here at the last look either is written by this node.</summary>
    private async Task ReplaceLost(IHostedVolume volume, FolderRights limits)
    {
        foreach (TransactionId mark in limits.Marks)
        {
            if (volume.Has(mark))
            {
                _missed.Remove(mark);
            }
            else if (!_missed.Add(mark) && await Mark(volume) is { } instead)
            {
                Write(
                    new ReplaceMark(volume.Log.Volume, mark, instead.After),
                    $"a mark of {view.NameOf(mark.Log.Author)} never came; another stands for it");
            }
        }
    }

    private async Task Renew(IHostedVolume volume, CancellationToken stop)
    {
        try
        {
            if (await volume.HasUnguarded(stop) && await Mark(volume) is { } mark)
            {
                Write(
                    new RenewMark(volume.Log.Volume, mark.Seen, mark.After, volume.IdleBeside(mark)),
                    "what came into limited folders is guarded by a new mark");
            }
        }
        catch (OperationCanceledException)
        {
            // The node ends.
        }
    }

    private async Task<AdminMark?> Mark(IHostedVolume volume)
    {
        Result<AdminMark, VolumeError> written = await volume.WriteMark();
        if (written.TryGet(out AdminMark? mark, out VolumeError error))
        {
            return mark;
        }

        diary.Add(LogLevel.Error, "rights", $"a mark cannot be written: {error}");
        return null;
    }

    private void Write(Primitive primitive, string done)
    {
        Result<Unit, StoreError> written = log.Append([primitive]);
        diary.Add(
            written.IsOk ? LogLevel.Info : LogLevel.Error, "rights", written.IsOk ? done : written.Error.ToString());
    }
}
