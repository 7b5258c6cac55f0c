using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>
/// Says in the pool's log which checkpoints this node has made, and finds members that made another one of the same history.
/// </summary>
/// <remarks>Thread: the engine's loop.</remarks>
internal sealed class CheckpointKeeper(NodeId self, PoolLog log, PoolView view, NodeDiary diary)
{
    /// <summary>Looks whether a volume has a checkpoint that nobody was told of.</summary>
    public void Look(IHostedVolume hosted)
    {
        VolumeId volume = hosted.Log.Volume;
        if (hosted.Checkpoint is not { } made
            || !log.State.Members.TryGetValue(self, out Member? member) || !member.IsActiveNode
            || (log.State.Made.TryGetValue((volume, self), out MadeCheckpoint said) && said.Depth >= made.Depth))
        {
            return;
        }

        Result<Unit, StoreError> written = log.Append([new VouchCheckpoint(volume, made)]);
        diary.Add(
            written.IsOk ? LogLevel.Info : LogLevel.Error, "volumes",
            written.TryGet(out _, out StoreError error)
                ? $"made a checkpoint of {hosted.Volume.Name} with {made.Records} records"
                : error.ToString());
    }

    /// <summary>Members whose folding of the same history led to something else than here.</summary>
    public IEnumerable<NodeProblem> Problems(IEnumerable<IHostedVolume> open)
    {
        foreach (IHostedVolume hosted in open)
        {
            VolumeId volume = hosted.Log.Volume;
            if (!log.State.Made.TryGetValue((volume, self), out MadeCheckpoint mine))
            {
                continue;
            }

            foreach (((VolumeId of, NodeId other), MadeCheckpoint made) in log.State.Made)
            {
                if (of == volume && log.State.IsActive(other) && made != mine
                    && made.Depth == mine.Depth && made.Basis == mine.Basis)
                {
                    yield return new NodeProblem(
                        "checkpoint-differs",
                        $"{view.NameOf(other)} has another tree of {hosted.Volume.Name}, from the same history.",
                        "The index of one of the two is wrong. Stop its daemon, remove the files of its home that "
                            + $"begin with index/volume-{volume.Value.ToHex()}, and start it: the index is made anew. "
                            + "If this comes again, report it.");
                }
            }
        }
    }
}
