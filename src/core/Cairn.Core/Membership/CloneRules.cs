using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;

namespace Cairn.Core.Membership;

/// <summary>What the making and removing of clones do at their point in the order of the pool's log.</summary>
/// <remarks>
/// A clone holds every snapshot that it needs from the moment it exists, before anybody has its keys, until it is
/// removed; and no volume of those goes before it. Source: docs/decisions/clones.md.
/// </remarks>
internal static class CloneRules
{
    /// <summary>Obeys an admin.</summary>
    public static void Apply(ITreeTable state, Transaction transaction, Primitive primitive)
    {
        NodeId author = transaction.Id.Log.Author;
        if (!PoolTable.IsAuthority(state, author))
        {
            return;
        }

        switch (primitive)
        {
            case CloneVolume clone:
                Make(state, transaction, clone);
                break;
            case CompleteClone complete when PoolTable.GetVolume(state, complete.Volume) is { } row:
                PoolTable.PutVolume(state, row with { Volume = row.Volume with { IsComplete = true } });
                break;
            case RemoveClone remove:
                Remove(state, remove);
                break;
            default:
                break;
        }
    }

    /// <summary>Whether a removal of a volume has no effect: clones of it are there, or it is a clone that holds snapshots.</summary>
    public static bool IsNeeded(ITreeTable state, VolumeId volume) =>
        PoolTable.GetVolume(state, volume)?.Volume.IsClone == true || HasClones(state, volume);

    private static void Make(ITreeTable state, Transaction transaction, CloneVolume clone)
    {
        if (PoolTable.GetVolume(state, clone.Volume) is not null
            || PoolTable.Text(clone.Name.Span) is not { } name
            || clone.Origins.Any(origin => PoolTable.GetVolume(state, origin.Volume) is not { Volume.IsPurged: false }))
        {
            return;
        }

        foreach (CloneOrigin origin in clone.Origins)
        {
            Hold(state, clone.Volume, origin);
            PoolTable.VolumeRow row = PoolTable.GetVolume(state, origin.Volume)!.Value;
            if (row.Volume.IsRemoved)
            {
                BringBack(state, row, clone);
            }
        }

        PoolVolume volume = new(
            clone.Volume, PoolApplier.FreeName(state, name, clone.Volume), IsRemoved: false)
        {
            Origins = [.. clone.Origins.Select(origin => new HeldSnapshot(origin.Volume, origin.Snapshot))],
            IsComplete = false,
        };
        PoolTable.PutVolume(state, new(volume, transaction.Id.Log.Author));
        PoolTable.PutCreated(state, clone.Volume, transaction.Claimed);
    }

    private static void Hold(ITreeTable state, VolumeId clone, CloneOrigin origin) => PoolTable.AddHold(
        state, origin.Volume, new SnapshotHold(origin.Snapshot, clone, IsHeld: true, origin.Seen));

    /// <summary>Its author had not seen it removed: as an edit does with a file, the clone brings the volume back.</summary>
    private static void BringBack(ITreeTable state, PoolTable.VolumeRow row, CloneVolume clone)
    {
        string name = PoolApplier.FreeName(state, row.Volume.Name, row.Volume.Volume);
        PoolTable.PutVolume(state, row with { Volume = row.Volume with { IsRemoved = false, Name = name } });
        foreach (CloneOrigin needed in clone.Origins.Where(
            origin => row.Volume.Origins.Contains(new HeldSnapshot(origin.Volume, origin.Snapshot))))
        {
            Hold(state, row.Volume.Volume, needed);
        }
    }

    private static void Remove(ITreeTable state, RemoveClone remove)
    {
        if (PoolTable.GetVolume(state, remove.Volume) is not { Volume: { IsClone: true, IsRemoved: false } } row
            || HasClones(state, remove.Volume))
        {
            return;
        }

        PoolTable.PutVolume(state, row with { Volume = row.Volume with { IsRemoved = true } });
        foreach (HeldSnapshot origin in row.Volume.Origins)
        {
            LogPositions seen = remove.Seen.FirstOrDefault(logs => logs.Volume == origin.Volume).Positions
                ?? LogPositions.Empty;
            PoolTable.AddHold(
                state, origin.Volume, new SnapshotHold(origin.Snapshot, remove.Volume, IsHeld: false, seen));
        }
    }

    private static bool HasClones(ITreeTable state, VolumeId volume) => PoolTable.Volumes(state).Any(clone =>
        !clone.IsRemoved && clone.Origins.Any(origin => origin.Volume == volume));
}
