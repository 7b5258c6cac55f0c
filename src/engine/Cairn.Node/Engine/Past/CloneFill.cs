using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Past;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node.Engine.Past;

/// <summary>Writes what a snapshot shows into the volume that is made as its clone. Blocks: for a worker.</summary>
/// <param name="origin">The volume of the snapshot, which is held.</param>
/// <param name="clone">The volume, of which nobody else has the keys yet.</param>
internal sealed class CloneFill(VolumeState origin, VolumeState clone)
{
    private const int StepsPerTurn = 64;

    private readonly SnapshotQueries _snapshots = new(origin.Parts.Log.Fold.Table);

    /// <summary>All of it is in sealed blocks on the disk when this returns well. Can be begun again.</summary>
    public Result<Unit, VolumeError> Run(Bytes16 snapshot, CancellationToken cancellation)
    {
        IEnumerator<ImmutableArray<Primitive>>? steps = null;
        ulong position = 0;
        for (bool hasMore = true; hasMore;)
        {
            cancellation.ThrowIfCancellationRequested();
            lock (origin.Gate)
            {
                if (_snapshots.Find(snapshot) is not { } record)
                {
                    return VolumeError.NotFound;
                }

                // What comes late and sorts before gives it another position: then it is to be read at that one.
                if (steps is null || record.Position != position)
                {
                    position = record.Position;
                    steps = new CloneWalk(_snapshots.View(record), record.Folder, clone.Queries, clone.Fresh)
                        .Steps().GetEnumerator();
                }

                if (!Turn(steps).TryGet(out hasMore, out VolumeError failed))
                {
                    return failed;
                }
            }
        }

        return clone.Parts.Log.Seal().TryGet(out _, out StoreError error) ? Unit.Value : Errors.From(error);
    }

    /// <summary>Writes some steps, so that others need not wait long for the gates.</summary>
    /// <returns>Whether there may be more.</returns>
    private Result<bool, VolumeError> Turn(IEnumerator<ImmutableArray<Primitive>> steps)
    {
        lock (clone.Gate)
        {
            for (int i = 0; i < StepsPerTurn; i++)
            {
                if (!steps.MoveNext())
                {
                    return false;
                }

                if (clone.Commit(steps.Current) is { } failed)
                {
                    return failed;
                }
            }
        }

        return true;
    }
}
