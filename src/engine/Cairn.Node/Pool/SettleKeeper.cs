using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Logs;
using Cairn.Node.Peers;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>Says in the pool's log that every fold of a volume may begin with a checkpoint that stands and is old.</summary>
/// <remarks>
/// Each member says it for itself, of what it has folded itself and keeps; a clock decides only when. If the words met where
/// nobody had heard all of them, the first admin's node that is up says its own once more. A member that cannot
/// agree says that, too, and the pool goes on to the checkpoint that stands then. docs/decisions/compaction.md.
/// Thread: the engine's loop.
/// </remarks>
/// <param name="horizon">How old a checkpoint is before it is settled.</param>
internal sealed class SettleKeeper(
    NodePorts ports, PoolLog log, PoolView view, PeerSet peers, NodeDiary diary, TimeSpan horizon)
{
    /// <summary>How far the clocks of two members may differ.</summary>
    private static readonly TimeSpan ClocksDiffer = TimeSpan.FromDays(1);

    private readonly CheckpointCopy _copy = new(ports, peers);
    private readonly SortedSet<VolumeId> _taking = [];
    private bool _isStopped;

    /// <summary>Looks what is to be kept here, and what is old enough.</summary>
    public void Look(IHostedVolume hosted)
    {
        VolumeId volume = hosted.Log.Volume;
        AgingCheckpoint? aging = log.State.Aging.GetValueOrDefault(volume);
        if (log.State.Settled.GetValueOrDefault(volume) is { } settled)
        {
            Take(hosted, settled);
        }

        bool isMember = log.State.Members.TryGetValue(view.Self, out Member? self) && self.IsActiveNode;
        if (aging is null || !isMember)
        {
            return;
        }

        MadeCheckpoint next = aging.Standing.Checkpoint;
        bool agrees = hosted.Continues(next);
        if (agrees)
        {
            Take(hosted, aging.Standing);
        }

        TimeSpan age = ports.Time.GetUtcNow() - aging.Since.ToDateTimeOffset();
        bool isOld = age >= horizon || age < -ClocksDiffer;
        var word = new SettleWord(next, agrees && age > TimeSpan.Zero);
        bool isSaid = log.State.SettleWords.GetValueOrDefault((volume, view.Self)) == word;
        bool isUnheard = isSaid && view.IsFirstAdminUp && log.State.IsSettledByWords(volume, next);
        bool isReady = !word.Agrees || !(_taking.Contains(volume) || IsAnyoneForgotten);
        if (isOld && (!isSaid || isUnheard) && isReady)
        {
            Say(hosted, volume, word);
        }
    }

    /// <summary>
    /// Whoever is away across what is settled may bring edits of what that has forgotten, when nobody can tell any more what it was.
    /// </summary>
    private bool IsAnyoneForgotten =>
        log.State.Members.Values.Any(static member => member.Standing == MemberStanding.Forgotten);

    /// <summary>Takes nothing any more.</summary>
    public void Stop() => _isStopped = true;

    private void Say(IHostedVolume hosted, VolumeId volume, SettleWord word)
    {
        Result<Unit, StoreError> written =
            log.Append([new SettleCheckpoint(volume, word.Checkpoint, word.Agrees)]);
        if (!written.TryGet(out _, out StoreError error))
        {
            diary.Add(LogLevel.Error, "volumes", error.ToString());
        }
        else if (log.State.Settled.GetValueOrDefault(volume)?.Checkpoint == word.Checkpoint)
        {
            diary.Add(
                LogLevel.Info, "volumes",
                $"every fold of {hosted.Volume.Name} begins with {word.Checkpoint.Records} records from now on");
        }
    }

    /// <summary>Takes a checkpoint from others that is to be kept here, and is not.</summary>
    private void Take(IHostedVolume hosted, StandingCheckpoint wanted)
    {
        VolumeId volume = hosted.Log.Volume;
        if (!_isStopped && !_taking.Contains(volume) && hosted.Lacks(wanted.Checkpoint) is { } fill)
        {
            _taking.Add(volume);
            ports.Workers.Start("checkpoint copy", () => Run(hosted, wanted, fill));
        }
    }

    private async Task Run(IHostedVolume hosted, StandingCheckpoint wanted, SlotFill fill)
    {
        VolumeId volume = hosted.Log.Volume;
        bool isWhole;
        using (fill)
        {
            isWhole = await _copy.Run(volume, wanted, fill, () => _isStopped);
        }

        _taking.Remove(volume);
        if (isWhole && !_isStopped)
        {
            diary.Add(
                LogLevel.Info, "volumes",
                $"took {wanted.Checkpoint.Records} records that every fold of {hosted.Volume.Name} begins with");
            hosted.MembersChanged();
        }
    }
}
