using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Core.Tree.Records;
using Cairn.Node.Garbage;
using Cairn.Node.Snapshots;

namespace Cairn.Node.Engine.Past;

/// <summary>Makes and removes the snapshots that a volume's schedule asks for.</summary>
/// <remarks>
/// Every writer looks. The first by id acts after a minute, each next one a minute later and only if it is still
/// needed: so a node that is away is stood in for, and nobody has to know who is there. Who stands in puts its own id
/// behind the name: two that act apart make two snapshots, and neither takes the other's name. Each removes only what
/// it made itself, the first also what former members left: a node whose clock is wrong spoils nobody else's.
/// </remarks>
public sealed class ScheduledSnapshots
{
    /// <summary>Who comes later waits no longer than this many turns.</summary>
    private const int TurnsMax = 10;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Turn = TimeSpan.FromMinutes(1);

    private readonly VolumeState _state;
    private readonly Func<IGarbageMembers> _members;
    private readonly Func<CancellationToken, Task<bool>> _publish;
    private readonly SnapshotQueries _snapshots;
    private readonly NodeId _self;
    private DateTimeOffset? _dueSince;

    /// <param name="state">The volume.</param>
    /// <param name="members">Who may write.</param>
    /// <param name="publish">Publishes what is written, so that it is in the snapshot.</param>
    internal ScheduledSnapshots(
        VolumeState state, Func<IGarbageMembers> members, Func<CancellationToken, Task<bool>> publish)
    {
        (_state, _members, _publish) = (state, members, publish);
        _snapshots = new SnapshotQueries(state.Parts.Log.Fold.Table);
        _self = state.Parts.Log.OwnLogId.Author;
    }

    /// <summary>Looks until it is told to stop.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await Look(_state.Parts.Time.GetUtcNow(), cancellation);
                await Task.Delay(LookEvery, _state.Parts.Time, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // The volume stops.
        }
    }

    /// <summary>Does what is due and this node's turn.</summary>
    /// <returns>Whether anything was done.</returns>
    public async Task<bool> Look(DateTimeOffset now, CancellationToken cancellation)
    {
        int rank = _members().Writers.Where(_state.Parts.Log.Rights.MayWrite).Order().ToList().IndexOf(_self);
        if (rank < 0)
        {
            return false;
        }

        (IReadOnlyList<string> due, IReadOnlyList<SnapshotRecord> expired) = PlanAt(now, rank);
        _dueSince = due.Count == 0 ? null : _dueSince ?? now;
        bool isTurn = now - _dueSince >= Turn * Math.Min(rank + 1, TurnsMax);
        if (!isTurn && expired.Count == 0)
        {
            return false;
        }

        if (isTurn)
        {
            await _publish(cancellation);
        }

        lock (_state.Gate)
        {
            // Somebody else's may have come meanwhile.
            cancellation.ThrowIfCancellationRequested();
            (due, expired) = PlanAt(now, rank);
            return Act(isTurn ? due : [], expired, rank);
        }
    }

    /// <summary>What is due, and what is this node's to remove.</summary>
    private (IReadOnlyList<string> Due, IReadOnlyList<SnapshotRecord> Expired) PlanAt(DateTimeOffset now, int rank)
    {
        lock (_state.Gate)
        {
            ILookup<string, SnapshotRecord> all =
                _snapshots.All().ToLookup(one => Encoding.UTF8.GetString(one.Name.Span));
            SnapshotSchedule.Plan plan = ScheduleMark.Of(_state.Queries)
                .PlanAt(WallTime.From(now), [.. all.Select(named => named.Key)]);
            return (plan.Due, [.. plan.Expired.SelectMany(name => all[name])
                .Where(one => IsMine(one, rank) && !_state.Parts.Log.Rights.Holds.IsHeld(one.Id))]);
        }
    }

    private bool IsMine(SnapshotRecord snapshot, int rank)
    {
        NodeId author = snapshot.By.Log.Author;
        return author == _self || (rank == 0 && !_members().Writers.Contains(author));
    }

    private bool Act(IReadOnlyList<string> due, IReadOnlyList<SnapshotRecord> expired, int rank)
    {
        ImmutableArray<Primitive> primitives =
        [
            .. due.Select(name => new Snapshot(
                _state.Fresh(), TreeQueries.Root, Encoding.UTF8.GetBytes(rank == 0 ? name : $"{name}-{_self.Short}"))),
            .. expired.Select(one => new Snapshot(one.Id, one.Folder, ReadOnlyMemory<byte>.Empty)),
        ];
        return primitives.Length > 0 && _state.Commit(primitives) is null;
    }
}
