using System.Diagnostics;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;

namespace Cairn.Node.Peers;

/// <summary>Who was turned away lately, or turned this node away, and why: what an owner should see in `cairn status`.</summary>
/// <remarks>One entry a peer; it goes when the peer gets in, or after ten minutes. Thread: the engine's loop.</remarks>
internal sealed class RefusedPeers(TimeProvider time)
{
    private const int EntriesMax = 16;
    private static readonly TimeSpan Lasts = TimeSpan.FromMinutes(10);

    private readonly List<Entry> _entries = [];

    /// <summary>Notes a refusal, if its reason is one that an owner can do something about.</summary>
    /// <param name="peer">Who.</param>
    /// <param name="name">What the peer is called.</param>
    /// <param name="reason">Why there is no connection.</param>
    /// <param name="detail">The same in words.</param>
    /// <param name="isSaidByMember">Whether it is the peer's word, and the peer is a member as far as this node knows.</param>
    public void Add(NodeId peer, string name, GoodbyeReason? reason, string detail, bool isSaidByMember)
    {
        if (reason is GoodbyeReason.NotMember or GoodbyeReason.Revoked or GoodbyeReason.WrongPool
            or GoodbyeReason.NoCommonVersion or GoodbyeReason.ProtocolError)
        {
            Clear(peer);
            _entries.Add(new Entry(peer, name, reason.Value, detail, isSaidByMember, time.GetTimestamp()));
            _entries.RemoveRange(0, Math.Max(0, _entries.Count - EntriesMax));
        }
    }

    /// <summary>The peer got in.</summary>
    public void Clear(NodeId peer) => _entries.RemoveAll(entry => entry.Peer == peer);

    /// <summary>Whether a member said lately that this node is none: it has heard that this node left.</summary>
    public bool IsStranger(NodeId peer) => Recent.Any(
        entry => entry.Peer == peer && entry is { IsSaidByMember: true, Reason: GoodbyeReason.NotMember });

    /// <summary>As problems, oldest first; what the members say of this node is one problem, and comes before.</summary>
    /// <param name="hasLeft">Whether this node has left the pool: then it is no news that the members do not know it.</param>
    public IReadOnlyList<NodeProblem> Problems(bool hasLeft)
    {
        Entry[] revokers = [.. Recent.Where(
            static entry => entry is { IsSaidByMember: true, Reason: GoodbyeReason.Revoked })];
        IEnumerable<NodeProblem> others = Recent
            .Except(revokers).Where(entry => !hasLeft || !IsStranger(entry.Peer)).Select(OfOther);
        return revokers.Length > 0 ? [OfRevoked(revokers), .. others] : [.. others];
    }

    private static NodeProblem OfRevoked(IEnumerable<Entry> revokers) => new(
        "revoked",
        $"This machine was revoked, by the word of {string.Join(", ", revokers.Select(static entry => entry.Name))}: "
        + "what is written here reaches nobody.",
        "Copy out what is only here. It comes back only as a new machine: an empty home, an invite, new keys.");

    private static NodeProblem OfOther(Entry entry) => new(
        "peer-refused", $"No connection with {entry.Name}: {entry.Detail}.", Advice(entry));

    private IEnumerable<Entry> Recent => _entries.Where(entry => time.GetElapsedTime(entry.At) < Lasts);

    private static string Advice(Entry entry) => entry.Reason switch
    {
        GoodbyeReason.NotMember when entry.IsSaidByMember =>
            "It has not heard that this machine was let in: it will, when it meets the machine that did.",
        GoodbyeReason.NotMember => "If it is yours, let it in: `cairn invite` here and `cairn join` there.",
        GoodbyeReason.Revoked => "A revoked machine comes back only as a new one: an empty home, an invite, new keys.",
        GoodbyeReason.WrongPool => "It belongs to another pool; correct the address if this one was meant.",
        GoodbyeReason.NoCommonVersion => "Upgrade the older of the two.",
        GoodbyeReason.ProtocolError => "It is broken or hostile. If it is yours, look at its `cairn logs`.",
        GoodbyeReason.Stopping or GoodbyeReason.Duplicate or GoodbyeReason.InviteRefused or GoodbyeReason.InviteExpired
            or GoodbyeReason.CannotGrant or _ =>
                throw new UnreachableException($"{entry.Reason} is nothing to be mended"),
    };

    private readonly record struct Entry(
        NodeId Peer, string Name, GoodbyeReason Reason, string Detail, bool IsSaidByMember, long At);
}
