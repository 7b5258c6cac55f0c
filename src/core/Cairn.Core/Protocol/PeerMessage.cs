using Cairn.Core.Primitives;

namespace Cairn.Core.Protocol;

/// <summary>A message between two peers: one frame. The set is closed.</summary>
/// <remarks>
/// Memory in a decoded message points into the frame it came from and is valid until that frame is disposed. Format:
/// docs/formats/peer-protocol.md.
/// </remarks>
public abstract record PeerMessage
{
    private protected PeerMessage()
    {
    }

    /// <summary>The message's tag.</summary>
    public abstract MessageTag Tag { get; }
}

/// <summary>A message that answers, or is answered by, another with the same number.</summary>
public abstract record NumberedMessage : PeerMessage
{
    private protected NumberedMessage(ulong request) => Request = request;

    /// <summary>Chosen by the asker; unique among its open requests on this connection.</summary>
    public ulong Request { get; init; }
}

/// <summary>Why somebody connects.</summary>
public enum HelloPurpose : byte
{
    /// <summary>As a member.</summary>
    Member = 0,

    /// <summary>To join by an invite.</summary>
    Join = 1,
}

/// <summary>First frame of both sides.</summary>
/// <param name="VersionMin">Oldest protocol understood.</param>
/// <param name="VersionMax">Newest protocol understood.</param>
/// <param name="Purpose">Why the sender connects; the accepting side repeats it.</param>
/// <param name="Pool">The pool; zeros from one who joins.</param>
/// <param name="Record">The sender's signed node record.</param>
public sealed record Hello(
    ushort VersionMin, ushort VersionMax, HelloPurpose Purpose, PoolId Pool, ReadOnlyMemory<byte> Record) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.Hello;
}

/// <summary>Why a connection ends.</summary>
public enum GoodbyeReason : byte
{
    /// <summary>The daemon stops.</summary>
    Stopping = 0,

    /// <summary>The peer is no member of this pool.</summary>
    NotMember = 1,

    /// <summary>The peer was revoked.</summary>
    Revoked = 2,

    /// <summary>There is another connection between the two.</summary>
    Duplicate = 3,

    /// <summary>No common protocol version.</summary>
    NoCommonVersion = 4,

    /// <summary>Another pool.</summary>
    WrongPool = 5,

    /// <summary>The peer sent what the protocol does not allow.</summary>
    ProtocolError = 6,

    /// <summary>The invite is wrong, used up, or never was.</summary>
    InviteRefused = 7,

    /// <summary>The invite's ten minutes are over.</summary>
    InviteExpired = 8,

    /// <summary>This node cannot grant membership now.</summary>
    CannotGrant = 9,
}

/// <summary>Last frame of a connection.</summary>
public sealed record Goodbye(GoodbyeReason Reason) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.Goodbye;
}

/// <summary>A newcomer asks to be let in.</summary>
/// <param name="InviteTag">Names the invite without giving it away.</param>
/// <param name="Proof">HMAC(secret, joiner, both identity keys).</param>
public sealed record JoinRequest(Bytes16 InviteTag, Bytes32 Proof) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.JoinRequest;
}

/// <summary>An owner with the recovery kit asks to be let in as an admin.</summary>
/// <param name="RecoveryKey">The recovery key, public.</param>
/// <param name="Signature">By it, over pool and both identity keys: docs/formats/peer-protocol.md, "Recovery".</param>
public sealed record RecoverRequest(ReadOnlyMemory<byte> RecoveryKey, ReadOnlyMemory<byte> Signature) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.RecoverRequest;
}

/// <summary>The inviter lets a newcomer in.</summary>
/// <param name="Proof">HMAC(secret, inviter, both identity keys).</param>
/// <param name="Pool">The pool.</param>
/// <param name="FounderKey">The founder's identity key: the root of the pool log's authority.</param>
/// <param name="Keyring">The pool log's keyring, wrapped to the newcomer.</param>
/// <param name="Records">The inviter's pool map.</param>
public sealed record JoinAccept(
    Bytes32 Proof,
    PoolId Pool,
    ReadOnlyMemory<byte> FounderKey,
    ReadOnlyMemory<byte> Keyring,
    IReadOnlyList<ReadOnlyMemory<byte>> Records) : PeerMessage
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.JoinAccept;
}

/// <summary>Asks whether the peer is there.</summary>
public sealed record Ping(ulong Request) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.Ping;
}

/// <summary>The answer to a ping.</summary>
public sealed record Pong(ulong Request) : NumberedMessage(Request)
{
    /// <inheritdoc/>
    public override MessageTag Tag => MessageTag.Pong;
}
