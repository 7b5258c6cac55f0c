using System.Collections.Immutable;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;

namespace Cairn.Core.Log;

/// <summary>A member is admitted, or its role or name changes.</summary>
/// <param name="Member">The hash of <paramref name="PublicKey"/>.</param>
/// <param name="Role">0 member, 1 admin; higher numbers are reserved.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo of the identity key.</param>
/// <param name="Name">UTF-8, shown to people.</param>
public sealed record GrantMember(
    NodeId Member, byte Role, ReadOnlyMemory<byte> PublicKey, ReadOnlyMemory<byte> Name) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.GrantMember;
}

/// <summary>Who holds the recovery key becomes an admin under a new identity, let in by a member of any role.</summary>
/// <param name="Member">The hash of <paramref name="PublicKey"/>.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo of the new identity key.</param>
/// <param name="Name">UTF-8, shown to people.</param>
/// <param name="Recovery">The recovery key's member id.</param>
/// <param name="Signature">By the recovery key, over pool, author's key and new key: docs/formats/peer-protocol.md.</param>
public sealed record RecoverMember(
    NodeId Member, ReadOnlyMemory<byte> PublicKey, ReadOnlyMemory<byte> Name, NodeId Recovery,
    ReadOnlyMemory<byte> Signature) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.RecoverMember;
}

/// <summary>The last block accepted of one log of a revoked member.</summary>
/// <param name="Volume">Which volume's log (the pool volume included).</param>
/// <param name="Incarnation">Which incarnation.</param>
/// <param name="BlockSeq">The last block that counts.</param>
public readonly record struct AcceptedTail(VolumeId Volume, uint Incarnation, ulong BlockSeq);

/// <summary>A member is expelled: blocks after the accepted ones are set aside.</summary>
/// <param name="Member">Who.</param>
/// <param name="Accepted">What is accepted; an incarnation not listed is not accepted at all.</param>
public sealed record RevokeMember(NodeId Member, ImmutableArray<AcceptedTail> Accepted) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.RevokeMember;
}

/// <summary>What was seen of a member's logs in one volume.</summary>
/// <param name="Volume">Which volume.</param>
/// <param name="Positions">Of the member's logs; others are not asked for.</param>
public readonly record struct SeenLogs(VolumeId Volume, LogPositions Positions);

/// <summary>
/// A member may only read from now on, or may edit volumes again; what the author had seen of it is judged as before.
/// </summary>
/// <param name="Member">Who.</param>
/// <param name="MayWrite">Whether it may edit.</param>
/// <param name="Seen">What the author had of its logs; of a volume that is not listed, nothing.</param>
public sealed record LimitMember(NodeId Member, bool MayWrite, ImmutableArray<SeenLogs> Seen) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.LimitMember;

    /// <summary>What that is for one volume.</summary>
    public MemberLimit In(VolumeId volume)
    {
        foreach (SeenLogs seen in Seen)
        {
            if (seen.Volume == volume)
            {
                return new MemberLimit(MayWrite, seen.Positions);
            }
        }

        return new MemberLimit(MayWrite, LogPositions.Empty);
    }
}

/// <summary>Only these members may edit a volume from now on; what the author had seen of it is judged as before.</summary>
/// <param name="Volume">Which volume.</param>
/// <param name="Writers">Who may edit it, in the order of their ids; null: every member.</param>
/// <param name="Seen">What the author had of the volume's logs.</param>
public sealed record LimitVolume(VolumeId Volume, ImmutableArray<NodeId>? Writers, LogPositions Seen) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.LimitVolume;

    /// <summary>The limit set by who holds so much of the volume's logs.</summary>
    /// <param name="volume">Which volume.</param>
    /// <param name="writers">Who may edit it, in the order of their ids; null: every member.</param>
    /// <param name="held">What is held: what the others have written stands, as far as it stood.</param>
    /// <param name="acceptsRefused">Whether everything of those who may edit it stands, also what was refused.</param>
    public static LimitVolume By(
        VolumeId volume, ImmutableArray<NodeId>? writers, LogPositions held, bool acceptsRefused) => new(
        volume, writers, !acceptsRefused ? held : LogPositions.From(
            held.Logs.Where(log => writers is { } some && !some.Contains(log.Key.Author))));
}

/// <summary>A person uses a member's machine: what is done there is shown as theirs.</summary>
/// <param name="Member">Whose machine.</param>
/// <param name="User">UTF-8, shown to people; empty: nobody in particular.</param>
public sealed record AssignUser(NodeId Member, ReadOnlyMemory<byte> User) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.AssignUser;
}

/// <summary>A volume is made.</summary>
/// <param name="Volume">A fresh random id.</param>
/// <param name="Name">UTF-8.</param>
/// <param name="Options">Encoded options (the default rule), opaque here.</param>
public sealed record CreateVolume(
    VolumeId Volume, ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Options) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.CreateVolume;
}

/// <summary>A volume is removed.</summary>
/// <param name="Volume">Which.</param>
public sealed record RemoveVolume(VolumeId Volume) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.RemoveVolume;
}

/// <summary>All chunks of a removed volume were given back, by every member: what is left of it, its logs, may go.</summary>
/// <param name="Volume">Which; without effect on one that is not removed.</param>
public sealed record PurgeVolume(VolumeId Volume) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.PurgeVolume;
}

/// <summary>A volume gets another name.</summary>
/// <param name="Volume">Which.</param>
/// <param name="Name">UTF-8.</param>
public sealed record RenameVolume(VolumeId Volume, ReadOnlyMemory<byte> Name) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.RenameVolume;
}

/// <summary>A key wrapped for one member.</summary>
/// <param name="Volume">Whose key.</param>
/// <param name="Epoch">Which epoch; all zeros for the dedup secret.</param>
/// <param name="Member">Who can unwrap it.</param>
/// <param name="WrappedKey">Opaque here.</param>
public sealed record GrantKey(
    VolumeId Volume, EpochId Epoch, NodeId Member, ReadOnlyMemory<byte> WrappedKey) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.GrantKey;
}

/// <summary>Solved placement weights.</summary>
/// <param name="Version">Grows with each solution.</param>
/// <param name="Weights">Encoded weights, opaque here.</param>
public sealed record PublishWeights(ulong Version, ReadOnlyMemory<byte> Weights) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.PublishWeights;
}
