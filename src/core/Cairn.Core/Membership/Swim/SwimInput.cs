using Cairn.Core.Primitives;

namespace Cairn.Core.Membership.Swim;

/// <summary>What can happen to a <see cref="SwimProtocol"/>.</summary>
public enum SwimInputKind
{
    /// <summary>Time passed. Wanted every 50 to 100 ms.</summary>
    Tick,

    /// <summary>A message came from a member; the seal proved who sent it.</summary>
    Message,

    /// <summary>The pool has this member (told again after a restart).</summary>
    MemberAdded,

    /// <summary>The pool no longer has this member.</summary>
    MemberRemoved,

    /// <summary>This node is about to stop cleanly: tell the others, who then need not find out.</summary>
    Leave,
}

/// <summary>One input, with the time at which it happened.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="NowMs">Monotonic milliseconds; never less than in an earlier input.</param>
/// <param name="Node">The sender or member concerned.</param>
/// <param name="Bytes">The message.</param>
public readonly record struct SwimInput(SwimInputKind Kind, long NowMs, NodeId Node, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Time passed.</summary>
    public static SwimInput Tick(long nowMs) => new(SwimInputKind.Tick, nowMs, default, default);

    /// <summary>A message came.</summary>
    public static SwimInput Message(NodeId from, ReadOnlyMemory<byte> bytes, long nowMs) =>
        new(SwimInputKind.Message, nowMs, from, bytes);

    /// <summary>A member is to be watched.</summary>
    public static SwimInput MemberAdded(NodeId node, long nowMs) =>
        new(SwimInputKind.MemberAdded, nowMs, node, default);

    /// <summary>A member is to be forgotten.</summary>
    public static SwimInput MemberRemoved(NodeId node, long nowMs) =>
        new(SwimInputKind.MemberRemoved, nowMs, node, default);

    /// <summary>This node stops.</summary>
    public static SwimInput Leave(long nowMs) => new(SwimInputKind.Leave, nowMs, default, default);
}

/// <summary>What a <see cref="SwimProtocol"/> wants done. Called within Step; must not call back into it.</summary>
public interface ISwimEffects
{
    /// <summary>Seal and send a datagram; losing it is fine. The bytes are valid during the call only.</summary>
    void Send(NodeId to, ReadOnlySpan<byte> bytes);

    /// <summary>What is thought of a member changed.</summary>
    void StatusChanged(NodeId node, Liveness status);

    /// <summary>A member sent what is not a message: counted and shown, otherwise ignored.</summary>
    void BadMessage(NodeId from);
}
