using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>Bytes of the primitives of the pool's log and of garbage collection.</summary>
internal static class PoolPrimitiveCodec
{
    private const int NameBytesMax = 255;
    private const int KeyBytesMax = 1024;
    private const int OpaqueBytesMax = Transaction.EncodedBytesMax;

    internal static void Encode(WireWriter writer, Primitive primitive)
    {
        switch (primitive)
        {
            case GrantMember p:
                writer.Bytes32(p.Member.Value);
                writer.Byte(p.Role);
                writer.LengthPrefixed(p.PublicKey.Span);
                writer.LengthPrefixed(p.Name.Span);
                break;
            case RevokeMember p:
                EncodeRevoke(writer, p);
                break;
            case RecoverMember p:
                writer.Bytes32(p.Member.Value);
                writer.LengthPrefixed(p.PublicKey.Span);
                writer.LengthPrefixed(p.Name.Span);
                writer.Bytes32(p.Recovery.Value);
                writer.LengthPrefixed(p.Signature.Span);
                break;
            case AssignUser p:
                writer.Bytes32(p.Member.Value);
                writer.LengthPrefixed(p.User.Span);
                break;
            case LimitMember p:
                EncodeLimit(writer, p);
                break;
            case LimitVolume p:
                EncodeLimit(writer, p);
                break;
            case LimitFolder or RenewMark or ReplaceMark:
                LimitFolderCodec.Encode(writer, primitive);
                break;
            case CloneVolume or CompleteClone or RemoveClone:
                ClonePrimitiveCodec.Encode(writer, primitive);
                break;
            case CreateVolume p:
                writer.Bytes16(p.Volume.Value);
                writer.LengthPrefixed(p.Name.Span);
                writer.LengthPrefixed(p.Options.Span);
                break;
            case RemoveVolume p:
                writer.Bytes16(p.Volume.Value);
                break;
            case PurgeVolume p:
                writer.Bytes16(p.Volume.Value);
                break;
            case RenameVolume p:
                writer.Bytes16(p.Volume.Value);
                writer.LengthPrefixed(p.Name.Span);
                break;
            case GrantKey p:
                writer.Bytes16(p.Volume.Value);
                writer.Bytes16(p.Epoch.Value);
                writer.Bytes32(p.Member.Value);
                writer.LengthPrefixed(p.WrappedKey.Span);
                break;
            case PublishWeights p:
                writer.VarUInt(p.Version);
                writer.LengthPrefixed(p.Weights.Span);
                break;
            case VouchCheckpoint p:
                writer.Bytes16(p.Volume.Value);
                p.Checkpoint.Encode(writer);
                break;
            default:
                EncodeGarbage(writer, primitive);
                break;
        }
    }

    internal static Primitive? Decode(ref WireReader reader, PrimitiveKind kind, ref LogError error)
    {
        switch (kind)
        {
            case PrimitiveKind.GrantMember:
                return new GrantMember(
                    Node(ref reader), reader.Byte(), Bytes(ref reader, KeyBytesMax), Bytes(ref reader, NameBytesMax));
            case PrimitiveKind.RevokeMember:
                return DecodeRevoke(ref reader);
            case PrimitiveKind.RecoverMember:
                return new RecoverMember(
                    Node(ref reader), Bytes(ref reader, KeyBytesMax), Bytes(ref reader, NameBytesMax), Node(ref reader),
                    Bytes(ref reader, KeyBytesMax));
            case PrimitiveKind.AssignUser:
                return new AssignUser(Node(ref reader), Bytes(ref reader, NameBytesMax));
            case PrimitiveKind.LimitMember:
                return DecodeMemberLimit(ref reader);
            case PrimitiveKind.LimitVolume:
                return DecodeVolumeLimit(ref reader);
            case PrimitiveKind.LimitFolder:
            case PrimitiveKind.RenewMark:
            case PrimitiveKind.ReplaceMark:
                return LimitFolderCodec.Decode(ref reader, kind);
            case PrimitiveKind.CloneVolume:
            case PrimitiveKind.CompleteClone:
            case PrimitiveKind.RemoveClone:
                return ClonePrimitiveCodec.Decode(ref reader, kind);
            case PrimitiveKind.CreateVolume:
                return new CreateVolume(
                    Volume(ref reader), Bytes(ref reader, NameBytesMax), Bytes(ref reader, OpaqueBytesMax));
            case PrimitiveKind.RemoveVolume:
                return new RemoveVolume(Volume(ref reader));
            case PrimitiveKind.PurgeVolume:
                return new PurgeVolume(Volume(ref reader));
            case PrimitiveKind.RenameVolume:
                return new RenameVolume(Volume(ref reader), Bytes(ref reader, NameBytesMax));
            case PrimitiveKind.GrantKey:
                return new GrantKey(
                    Volume(ref reader), new EpochId(reader.Bytes16()), Node(ref reader),
                    Bytes(ref reader, KeyBytesMax));
            case PrimitiveKind.PublishWeights:
                return new PublishWeights(reader.VarUInt(), Bytes(ref reader, OpaqueBytesMax));
            case PrimitiveKind.Condemn:
                return DecodeCondemn(ref reader);
            case PrimitiveKind.Rescue:
                return new Rescue(Addresses(ref reader));
            case PrimitiveKind.Exclude:
                return new Exclude(Node(ref reader), reader.Boolean());
            case PrimitiveKind.Repeats:
                return new Repeats(TransactionIds(ref reader));
            case PrimitiveKind.VouchCheckpoint:
                return new VouchCheckpoint(Volume(ref reader), MadeCheckpoint.Decode(ref reader));
            case PrimitiveKind.SettleCheckpoint:
                return DecodeSettle(ref reader);
            default:
                if (!reader.Failed)
                {
                    error = LogError.UnknownPrimitive;
                }

                reader.Fail();
                return null;
        }
    }

    private static void EncodeGarbage(WireWriter writer, Primitive primitive)
    {
        switch (primitive)
        {
            case Condemn p:
                EncodeCondemn(writer, p);
                break;
            case Rescue p:
                Addresses(writer, p.Addresses);
                break;
            case Exclude p:
                writer.Bytes32(p.Member.Value);
                writer.Boolean(p.Excluded);
                break;
            case Repeats p:
                TransactionIds(writer, p.Originals);
                break;
            case SettleCheckpoint p:
                writer.Bytes16(p.Volume.Value);
                p.Checkpoint.Encode(writer);
                writer.Boolean(p.Agrees);
                break;
            default:
                throw new UnreachableException($"no encoding for {primitive.GetType().Name}");
        }
    }

    private static SettleCheckpoint DecodeSettle(ref WireReader reader) =>
        new(Volume(ref reader), MadeCheckpoint.Decode(ref reader), reader.Boolean());

    private static void EncodeRevoke(WireWriter writer, RevokeMember revoke)
    {
        writer.Bytes32(revoke.Member.Value);
        writer.Count(revoke.Accepted.Length);
        foreach (AcceptedTail tail in revoke.Accepted)
        {
            writer.Bytes16(tail.Volume.Value);
            writer.VarUInt(tail.Incarnation);
            writer.VarUInt(tail.BlockSeq);
        }
    }

    private static RevokeMember DecodeRevoke(ref WireReader reader)
    {
        NodeId member = Node(ref reader);
        var tails = new AcceptedTail[reader.Count(VolumeId.Size + 2)];
        for (int i = 0; i < tails.Length; i++)
        {
            tails[i] = new AcceptedTail(Volume(ref reader), reader.VarUInt32(), reader.VarUInt());
        }

        return new RevokeMember(member, ImmutableCollectionsMarshal.AsImmutableArray(tails));
    }

    internal static void EncodeLimit(WireWriter writer, LimitMember limit)
    {
        writer.Bytes32(limit.Member.Value);
        writer.Boolean(limit.MayWrite);
        EncodeSeen(writer, limit.Seen);
    }

    internal static LimitMember DecodeMemberLimit(ref WireReader reader)
    {
        NodeId member = Node(ref reader);
        return new LimitMember(member, reader.Boolean(), DecodeSeen(ref reader));
    }

    internal static void EncodeSeen(WireWriter writer, ImmutableArray<SeenLogs> all)
    {
        writer.Count(all.Length);
        foreach (SeenLogs seen in all)
        {
            writer.Bytes16(seen.Volume.Value);
            seen.Positions.Encode(writer);
        }
    }

    internal static ImmutableArray<SeenLogs> DecodeSeen(ref WireReader reader)
    {
        var seen = new SeenLogs[reader.Count(VolumeId.Size + 1)];
        for (int i = 0; i < seen.Length && !reader.Failed; i++)
        {
            seen[i] = new SeenLogs(Volume(ref reader), LogPositions.Decode(ref reader));
            reader.Require(i == 0 || seen[i - 1].Volume.CompareTo(seen[i].Volume) < 0);
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(seen);
    }

    internal static void EncodeLimit(WireWriter writer, LimitVolume limit)
    {
        writer.Bytes16(limit.Volume.Value);
        writer.Boolean(limit.Writers is not null);
        if (limit.Writers is { } writers)
        {
            writer.Count(writers.Length);
            foreach (NodeId node in writers)
            {
                writer.Bytes32(node.Value);
            }
        }

        limit.Seen.Encode(writer);
    }

    internal static LimitVolume DecodeVolumeLimit(ref WireReader reader)
    {
        VolumeId volume = Volume(ref reader);
        if (!reader.Boolean())
        {
            return new LimitVolume(volume, null, LogPositions.Decode(ref reader));
        }

        var writers = new NodeId[reader.Count(NodeId.Size)];
        for (int i = 0; i < writers.Length; i++)
        {
            writers[i] = Node(ref reader);
            reader.Require(i == 0 || writers[i - 1].CompareTo(writers[i]) < 0);
        }

        return new LimitVolume(
            volume, ImmutableCollectionsMarshal.AsImmutableArray(writers), LogPositions.Decode(ref reader));
    }

    private static void EncodeCondemn(WireWriter writer, Condemn condemn)
    {
        condemn.Cut.Encode(writer);
        writer.Count(condemn.Objects.Length);
        foreach (ObjectId id in condemn.Objects)
        {
            writer.Bytes16(id.Value);
        }

        writer.Count(condemn.Versions.Length);
        foreach (VersionRef version in condemn.Versions)
        {
            writer.Bytes16(version.Object.Value);
            writer.Bytes16(version.Version.Value);
        }

        Addresses(writer, condemn.Addresses);
        TransactionIds(writer, condemn.Settled);
    }

    private static Condemn DecodeCondemn(ref WireReader reader)
    {
        LogPositions cut = LogPositions.Decode(ref reader);
        var objects = new ObjectId[reader.Count(ObjectId.Size)];
        for (int i = 0; i < objects.Length; i++)
        {
            objects[i] = new ObjectId(reader.Bytes16());
        }

        var versions = new VersionRef[reader.Count(ObjectId.Size + VersionId.Size)];
        for (int i = 0; i < versions.Length; i++)
        {
            versions[i] = new VersionRef(new ObjectId(reader.Bytes16()), new VersionId(reader.Bytes16()));
        }

        ImmutableArray<ChunkAddress> addresses = Addresses(ref reader);
        return new Condemn(
            cut, ImmutableCollectionsMarshal.AsImmutableArray(objects),
            ImmutableCollectionsMarshal.AsImmutableArray(versions), addresses, TransactionIds(ref reader));
    }

    internal static void TransactionIds(WireWriter writer, ImmutableArray<TransactionId> ids)
    {
        writer.Count(ids.Length);
        foreach (TransactionId id in ids)
        {
            TransactionCodec.EncodeId(writer, id);
        }
    }

    internal static ImmutableArray<TransactionId> TransactionIds(ref WireReader reader)
    {
        var ids = new TransactionId[reader.Count(NodeId.Size + 2)];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = TransactionCodec.DecodeId(ref reader);
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(ids);
    }

    private static void Addresses(WireWriter writer, ImmutableArray<ChunkAddress> addresses)
    {
        writer.Count(addresses.Length);
        foreach (ChunkAddress address in addresses)
        {
            writer.Bytes32(address.Value);
        }
    }

    private static ImmutableArray<ChunkAddress> Addresses(ref WireReader reader)
    {
        var addresses = new ChunkAddress[reader.Count(ChunkAddress.Size)];
        for (int i = 0; i < addresses.Length; i++)
        {
            addresses[i] = new ChunkAddress(reader.Bytes32());
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(addresses);
    }

    private static NodeId Node(ref WireReader reader) => new(reader.Bytes32());

    private static VolumeId Volume(ref WireReader reader) => new(reader.Bytes16());

    private static ReadOnlyMemory<byte> Bytes(ref WireReader reader, int lengthMax) =>
        reader.LengthPrefixed(lengthMax).ToArray();
}
