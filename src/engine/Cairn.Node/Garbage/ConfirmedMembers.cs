using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;

namespace Cairn.Node.Garbage;

/// <summary>Members by what the log exchange knows of them: one that is not connected has said nothing, and garbage waits.</summary>
/// <param name="self">This node.</param>
/// <param name="writers">All who may write to the volume, this node among them.</param>
/// <param name="confirmed">What a member said it holds; empty for one that is not connected.</param>
/// <param name="isReturning">Whether this node was forgotten and is not up to date yet.</param>
public sealed class ConfirmedMembers(
    NodeId self, Func<IReadOnlyList<NodeId>> writers, Func<NodeId, LogPositions> confirmed, Func<bool> isReturning)
    : IGarbageMembers
{
    private volatile Cut? _last;

    /// <inheritdoc/>
    public IReadOnlyList<NodeId> Writers => writers();

    /// <inheritdoc/>
    public bool IsReturning => isReturning();

    /// <summary>Of a removed volume: whether all writers said that they have heard of it.</summary>
    public Func<bool> HeardOfRemoval { get; init; } = static () => true;

    /// <summary>Of a removed volume: whether the pool's log says that all members are done with it.</summary>
    public Func<bool> Purged { get; init; } = static () => false;

    /// <inheritdoc/>
    public bool IsPurged => Purged();

    /// <inheritdoc/>
    public bool HaveHeardOfRemoval => HeardOfRemoval();

    /// <inheritdoc/>
    /// <remarks>Worked out again only when somebody said something new: it is asked every few seconds.</remarks>
    public LogPositions Stable(LogPositions held)
    {
        IReadOnlyList<NodeId> all = Writers;
        LogPositions[] said =
            [.. all.Select(writer => writer == self ? LogPositions.Empty : confirmed(writer))];
        if (_last is { } last && ReferenceEquals(last.Held, held) && last.Writers.SequenceEqual(all)
            && last.Said.AsSpan().SequenceEqual(said, ReferenceEqualityComparer.Instance))
        {
            return last.Stable;
        }

        var tracker = new StabilityTracker();
        for (int i = 0; i < all.Count; i++)
        {
            if (all[i] != self)
            {
                tracker.Said(all[i], said[i]);
            }
        }

        LogPositions stable = tracker.Stable(all, self, held);
        _last = new Cut(held, all, said, stable);
        return stable;
    }

    private sealed record Cut(
        LogPositions Held, IReadOnlyList<NodeId> Writers, LogPositions[] Said, LogPositions Stable);
}
