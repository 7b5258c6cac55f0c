using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Placement;

namespace Cairn.Core.Membership;

/// <summary>Reads what the table of the pool's log amounts to, part by part.</summary>
/// <remarks>
/// The keys alone are as many as members times volumes that ever were, and each block of the pool's log changes one part or two.
/// </remarks>
internal static class PoolReader
{
    /// <summary>Reads the parts that changed.</summary>
    /// <param name="table">The table.</param>
    /// <param name="before">Where the others are taken from.</param>
    /// <param name="isTouched">Whether keys that begin with a byte may have changed.</param>
    public static PoolState Read(ITreeTable table, PoolState before, Func<byte, bool> isTouched)
    {
        PoolState state = before;
        if (isTouched(PoolTable.MemberTag))
        {
            state = state with
            {
                Members = PoolTable.Members(table).ToImmutableSortedDictionary(one => one.Node, one => one),
            };
        }

        if (isTouched(PoolTable.VolumeTag) || isTouched(PoolTable.CreatedTag))
        {
            state = state with
            {
                Volumes = PoolTable.Volumes(table).ToImmutableSortedDictionary(one => one.Volume, one => one),
            };
        }

        if (isTouched(PoolTable.KeyTag))
        {
            state = state with { Keys = [.. PoolTable.Keys(table)] };
        }

        if (isTouched(ExcludeRules.SaidTag))
        {
            state = state with { Forgettings = ExcludeRules.Said(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(PoolTable.UserTag))
        {
            state = state with { Users = PoolTable.Users(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(PoolTable.WeightsTag))
        {
            (ulong version, PlacementWeights weights) = PoolTable.GetWeights(table);
            state = state with { Weights = weights, WeightsVersion = version };
        }

        return ReadCheckpoints(table, ReadLimits(table, state, isTouched), isTouched);
    }

    private static PoolState ReadLimits(ITreeTable table, PoolState state, Func<byte, bool> isTouched)
    {
        if (isTouched(PoolTable.LimitTag))
        {
            state = state with { MemberLimits = PoolTable.MemberLimits(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(PoolTable.WritersTag))
        {
            state = state with { VolumeLimits = PoolTable.VolumeLimits(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(PoolTable.FolderTag))
        {
            state = state with { Folders = PoolTable.Folders(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(PoolTable.HoldTag))
        {
            state = state with { Holds = PoolTable.Holds(table).ToImmutableSortedDictionary() };
        }

        return state;
    }

    private static PoolState ReadCheckpoints(ITreeTable table, PoolState state, Func<byte, bool> isTouched)
    {
        if (isTouched(CheckpointRules.MadeTag))
        {
            state = state with { Made = CheckpointRules.Made(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(CheckpointRules.StandingTag))
        {
            state = state with { Checkpoints = CheckpointRules.Standing(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(CheckpointRules.AgingTag))
        {
            state = state with { Aging = CheckpointRules.Aging(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(CheckpointRules.WordTag))
        {
            state = state with { SettleWords = CheckpointRules.Words(table).ToImmutableSortedDictionary() };
        }

        if (isTouched(CheckpointRules.SettledTag))
        {
            state = state with { Settled = CheckpointRules.Settled(table).ToImmutableSortedDictionary() };
        }

        return state;
    }
}
