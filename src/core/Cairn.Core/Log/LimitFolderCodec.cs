using System.Diagnostics;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>
/// Bytes of <see cref="LimitFolder"/> and of the primitives about its mark: docs/formats/transaction.md, tags 42, 43 and 47.
/// </summary>
internal static class LimitFolderCodec
{
    internal static void Encode(WireWriter writer, Primitive primitive)
    {
        switch (primitive)
        {
            case LimitFolder limit:
                Encode(writer, limit);
                break;
            case RenewMark renewal:
                writer.Bytes16(renewal.Volume.Value);
                renewal.Seen.Encode(writer);
                TransactionCodec.EncodeId(writer, renewal.After);
                PoolPrimitiveCodec.TransactionIds(writer, renewal.Idle);
                break;
            case ReplaceMark replacement:
                writer.Bytes16(replacement.Volume.Value);
                TransactionCodec.EncodeId(writer, replacement.Lost);
                TransactionCodec.EncodeId(writer, replacement.After);
                break;
            default:
                throw new UnreachableException();
        }
    }

    internal static Primitive Decode(ref WireReader reader, PrimitiveKind kind)
    {
        if (kind == PrimitiveKind.LimitFolder)
        {
            return Decode(ref reader);
        }

        VolumeId volume = new(reader.Bytes16());
        if (kind == PrimitiveKind.ReplaceMark)
        {
            return new ReplaceMark(
                volume, TransactionCodec.DecodeId(ref reader), TransactionCodec.DecodeId(ref reader));
        }

        LogPositions seen = LogPositions.Decode(ref reader);
        return new RenewMark(
            volume, seen, TransactionCodec.DecodeId(ref reader), PoolPrimitiveCodec.TransactionIds(ref reader));
    }

    internal static void Encode(WireWriter writer, LimitFolder limit)
    {
        writer.Bytes16(limit.Volume.Value);
        writer.Bytes16(limit.Folder.Value);
        writer.Byte((byte)limit.Access);
        writer.Count(limit.Writers.Length);
        foreach (NodeId node in limit.Writers)
        {
            writer.Bytes32(node.Value);
        }

        limit.Seen.Encode(writer);
        TransactionCodec.EncodeId(writer, limit.After);
    }

    internal static LimitFolder Decode(ref WireReader reader)
    {
        VolumeId volume = new(reader.Bytes16());
        ObjectId folder = new(reader.Bytes16());
        var access = (FolderAccess)reader.Byte();
        reader.Require(access <= FolderAccess.Only);
        var writers = new NodeId[reader.Count(NodeId.Size)];
        for (int i = 0; i < writers.Length; i++)
        {
            writers[i] = new NodeId(reader.Bytes32());
            reader.Require(i == 0 || writers[i - 1].CompareTo(writers[i]) < 0);
        }

        reader.Require(access == FolderAccess.Only || writers.Length == 0);
        LogPositions seen = LogPositions.Decode(ref reader);
        var after = new TransactionId(new LogId(new NodeId(reader.Bytes32()), reader.VarUInt32()), reader.VarUInt());
        return new LimitFolder(
            volume, folder, access, ImmutableCollectionsMarshal.AsImmutableArray(writers), seen, after);
    }
}
