using System.Collections.Immutable;
using System.Globalization;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Past;

/// <summary>What the brake holds, and what people decide, for doors.</summary>
internal sealed class BrakeOperations(VolumeState state, IVolumeSnapshots snapshots) : IVolumeBrake
{
    private static readonly TimeSpan Before = TimeSpan.FromMilliseconds(1);

    /// <inheritdoc/>
    public IReadOnlyList<BrakedMember> List()
    {
        lock (state.Gate)
        {
            return
            [
                .. Marks().Where(mark => mark.IsHeld).Select(Describe)
                    .OrderBy(held => held.NodeName, StringComparer.Ordinal).ThenBy(held => held.From),
            ];
        }
    }

    /// <inheritdoc/>
    public Result<Unit, VolumeError> Release(IReadOnlyList<NodeId> members)
    {
        lock (state.Gate)
        {
            ImmutableArray<Primitive> decisions =
                [.. Marks().Where(mark => mark.IsHeld && members.Contains(mark.Taken.Log.Author)).Select(Decide)];
            return decisions.IsEmpty ? VolumeError.NotFound
                : state.Commit(decisions) is { } failed ? failed
                : Unit.Value;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<RestoreOutcome, VolumeError>> Undo(
        IReadOnlyList<NodeId> members, CancellationToken cancellation)
    {
        if (List().Where(held => members.Contains(held.Node)).MinBy(held => held.From) is not { } first)
        {
            return VolumeError.NotFound;
        }

        DateTime before = (first.From.ToDateTimeOffset() - Before).UtcDateTime;
        string moment = before.ToString("O", CultureInfo.InvariantCulture);
        Result<RestoreOutcome, VolumeError> restored =
            await snapshots.Restore(new PastState("@" + moment) { Without = members }, string.Empty, cancellation);
        if (!restored.IsOk)
        {
            // By this node's clock the ruin has not happened yet: there is no such moment to go back to.
            return restored.Error == VolumeError.NotFound ? VolumeError.NoData : restored;
        }

        lock (state.Gate)
        {
            // Taking the ruins away is a large part, too, and it was decided at the same time.
            LogId own = state.Parts.Log.OwnLogId;
            ImmutableArray<Primitive> decisions =
            [
                .. Marks().Where(mark => mark.IsHeld ? members.Contains(mark.Taken.Log.Author) : mark.Taken.Log == own)
                    .Select(Decide),
            ];
            return state.Commit(decisions) is { } failed ? failed : restored;
        }
    }

    private IEnumerable<BrakeMark> Marks() =>
        state.Parts.Log.Fold.Positions.Logs.Select(log => BrakeMark.Of(state.Queries, log.Key));

    private Primitive Decide(BrakeMark mark)
    {
        LogId log = mark.Taken.Log;
        return (BrakeMark.None(log) with { ReleasedTo = state.Parts.Log.Fold.LastOf(log) }).ToPrimitive();
    }

    private BrakedMember Describe(BrakeMark mark) => new(
        mark.Taken.Log.Author, state.Queries.ShownAuthor(mark.Taken.Log.Author), mark.Taken.From, mark.Taken.To,
        mark.Taken.Objects, mark.Taken.Bytes, mark.Taken.ObjectsBefore, mark.Taken.BytesBefore);
}
