using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

/// <summary>One member's replica of the pool's log, driven by the real fold.</summary>
internal sealed class PoolScene
{
    private readonly TouchedTable _table = new(new MemoryTable());
    private readonly OrderedFold _fold;
    private readonly HashSet<TransactionId> _held = [];
    private PoolState _state = PoolState.Empty;

    public PoolScene(int member)
    {
        Log = new LogId(MemberKit.Node(member), 1);
        _fold = new OrderedFold(_table, new PoolApplier(default));
    }

    public LogId Log { get; }

    /// <summary>What its clock says while it writes.</summary>
    public WallTime Clock { get; set; }

    public List<Transaction> History { get; } = [];

    /// <summary>As a node reads it: only what changed since the last time.</summary>
    public PoolState State => _state = PoolApplier.Read(_table, _state);

    /// <summary>The same, read whole.</summary>
    public PoolState WholeState => PoolApplier.Read(_fold.Table);

    /// <summary>Authors a transaction here.</summary>
    public void Do(params ImmutableArray<Primitive> primitives) => Take(_fold.Author(Log, Clock, primitives));

    public void Take(Transaction transaction)
    {
        if (_held.Add(transaction.Id))
        {
            _fold.Receive(transaction);
            History.Add(transaction);
        }
    }

    /// <summary>Both know what either knew.</summary>
    public void MeetWith(PoolScene other)
    {
        foreach (Transaction transaction in History.ToList())
        {
            other.Take(transaction);
        }

        foreach (Transaction transaction in other.History.ToList())
        {
            Take(transaction);
        }
    }

    public static GrantMember Grant(int member, MemberRole role, string? name = null) => new(
        MemberKit.Node(member), (byte)role, MemberKit.Key(member).ToArray(),
            Encoding.UTF8.GetBytes(name ?? $"n{member}"));

    public static RevokeMember Revoke(int member, params ImmutableArray<AcceptedTail> accepted) =>
        new(MemberKit.Node(member), accepted);

    public static CreateVolume Create(int volume, string name) =>
        new(Volume(volume), Encoding.UTF8.GetBytes(name), default);

    public static VolumeId Volume(int volume) => new(Enumerable.Repeat((byte)volume, 16).ToArray());

    public MemberStanding StandingOf(int member) => State.Members[MemberKit.Node(member)].Standing;
}
