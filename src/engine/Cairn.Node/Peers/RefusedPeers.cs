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
    public void Add(NodeId peer, string name, GoodbyeReason? reason, string detail)
    {
        if (reason is GoodbyeReason.NotMember or GoodbyeReason.Revoked or GoodbyeReason.WrongPool
            or GoodbyeReason.NoCommonVersion or GoodbyeReason.ProtocolError)
        {
            Clear(peer);
            _entries.Add(new Entry(peer, name, reason.Value, detail, time.GetTimestamp()));
            _entries.RemoveRange(0, Math.Max(0, _entries.Count - EntriesMax));
        }
    }

    /// <summary>The peer got in.</summary>
    public void Clear(NodeId peer) => _entries.RemoveAll(entry => entry.Peer == peer);

    /// <summary>As problems, oldest first.</summary>
    public IEnumerable<NodeProblem> Problems => _entries
        .Where(entry => time.GetElapsedTime(entry.At) < Lasts)
        .Select(entry => new NodeProblem(
            "peer-refused", $"No connection with {entry.Name}: {entry.Detail}.", Advice(entry.Reason)));

    private static string Advice(GoodbyeReason reason) => reason switch
    {
        GoodbyeReason.NotMember => "If it is yours, let it in: `cairn invite` here and `cairn join` there.",
        GoodbyeReason.Revoked => "A revoked machine comes back only as a new one: an empty home, an invite, new keys.",
        GoodbyeReason.WrongPool => "It belongs to another pool; correct the address if this one was meant.",
        GoodbyeReason.NoCommonVersion => "Upgrade the older of the two.",
        GoodbyeReason.ProtocolError => "It is broken or hostile. If it is yours, look at its `cairn logs`.",
        GoodbyeReason.Stopping or GoodbyeReason.Duplicate or GoodbyeReason.InviteRefused or GoodbyeReason.InviteExpired
            or GoodbyeReason.CannotGrant or _ => throw new UnreachableException($"{reason} is nothing to be mended"),
    };

    private readonly record struct Entry(NodeId Peer, string Name, GoodbyeReason Reason, string Detail, long At);
}
