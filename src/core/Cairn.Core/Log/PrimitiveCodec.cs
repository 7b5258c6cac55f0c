using System.Collections.Immutable;
using System.Diagnostics;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>
/// Bytes of one primitive: its tag, then its fields in order. docs/formats/transaction.md, section "Primitives".
/// </summary>
internal static class PrimitiveCodec
{
    private const int NameBytesMax = Transaction.NameBytesMax;
    private const int LinkTargetBytesMax = 4095;
    private const int AttributeBytesMax = 64 * 1024;
    private const int TableKeyBytesMax = 1024;
    private const int OpaqueBytesMax = Transaction.EncodedBytesMax;

    internal static void Encode(WireWriter writer, Primitive primitive)
    {
        writer.Byte((byte)primitive.Kind);
        switch (primitive)
        {
            case CreateObject or Place or Unplace or Move or Exchange:
                EncodeEntryChange(writer, primitive);
                break;
            case WriteVersion or SetAttributes or SetExtendedAttribute or DiscardHeads:
                EncodeObjectChange(writer, primitive);
                break;
            case NameAuthor p:
                writer.LengthPrefixed(p.Name.Span);
                break;
            case SetRule p:
                writer.Bytes16(p.Object.Value);
                writer.LengthPrefixed(p.Rule.Span);
                break;
            case Snapshot p:
                writer.Bytes16(p.Id);
                writer.Bytes16(p.Folder.Value);
                writer.LengthPrefixed(p.Name.Span);
                break;
            case SweepKept p:
                writer.LengthPrefixed(p.From.Span);
                writer.LengthPrefixed(p.To.Span);
                break;
            default:
                PoolPrimitiveCodec.Encode(writer, primitive);
                break;
        }
    }

    internal static Primitive? Decode(ref WireReader reader, ref LogError error)
    {
        var kind = (PrimitiveKind)reader.Byte();
        switch (kind)
        {
            case PrimitiveKind.CreateObject:
            case PrimitiveKind.Place:
            case PrimitiveKind.Unplace:
            case PrimitiveKind.Move:
            case PrimitiveKind.Exchange:
                return DecodeEntryChange(ref reader, kind);
            case PrimitiveKind.WriteVersion:
            case PrimitiveKind.SetAttributes:
            case PrimitiveKind.SetExtendedAttribute:
            case PrimitiveKind.DiscardHeads:
                return DecodeObjectChange(ref reader, kind);
            case PrimitiveKind.NameAuthor:
                return new NameAuthor(Bytes(ref reader, NameAuthor.BytesMax));
            case PrimitiveKind.SetRule:
                return new SetRule(Object(ref reader), Bytes(ref reader, OpaqueBytesMax));
            case PrimitiveKind.Snapshot:
                return new Snapshot(reader.Bytes16(), Object(ref reader), Bytes(ref reader, NameBytesMax));
            case PrimitiveKind.SweepKept:
                return new SweepKept(Bytes(ref reader, TableKeyBytesMax), Bytes(ref reader, TableKeyBytesMax));
            default:
                return PoolPrimitiveCodec.Decode(ref reader, kind, ref error);
        }
    }

    private static void EncodeEntryChange(WireWriter writer, Primitive primitive)
    {
        switch (primitive)
        {
            case CreateObject p:
                writer.Bytes16(p.Object.Value);
                writer.Byte((byte)p.Type);
                writer.VarUInt(p.Mode);
                writer.VarUInt(p.UserId);
                writer.VarUInt(p.GroupId);
                writer.VarUInt(p.Device);
                writer.Int64(p.Modified.UnixNanoseconds);
                writer.LengthPrefixed(p.LinkTarget.Span);
                break;
            case Place p:
                Entry(writer, p.Parent, p.Name);
                writer.Bytes16(p.Object.Value);
                Replaced(writer, p.Replaced);
                break;
            case Unplace p:
                Entry(writer, p.Parent, p.Name);
                writer.Bytes16(p.Object.Value);
                Versions(writer, p.Heads);
                break;
            case Move p:
                writer.Bytes16(p.Object.Value);
                Entry(writer, p.FromParent, p.FromName);
                Entry(writer, p.ToParent, p.ToName);
                Replaced(writer, p.Replaced);
                break;
            case Exchange p:
                writer.Bytes16(p.FirstObject.Value);
                Entry(writer, p.FirstParent, p.FirstName);
                writer.Bytes16(p.SecondObject.Value);
                Entry(writer, p.SecondParent, p.SecondName);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private static Primitive? DecodeEntryChange(ref WireReader reader, PrimitiveKind kind)
    {
        switch (kind)
        {
            case PrimitiveKind.CreateObject:
                return DecodeCreate(ref reader);
            case PrimitiveKind.Place:
                return new Place(Object(ref reader), Name(ref reader), Object(ref reader), Replaced(ref reader));
            case PrimitiveKind.Unplace:
                return new Unplace(Object(ref reader), Name(ref reader), Object(ref reader), Versions(ref reader));
            case PrimitiveKind.Move:
                return new Move(
                    Object(ref reader), Object(ref reader), Name(ref reader), Object(ref reader), Name(ref reader),
                    Replaced(ref reader));
            default:
                return new Exchange(
                    Object(ref reader), Object(ref reader), Name(ref reader),
                    Object(ref reader), Object(ref reader), Name(ref reader));
        }
    }

    private static CreateObject? DecodeCreate(ref WireReader reader)
    {
        ObjectId id = Object(ref reader);
        byte type = reader.Byte();
        reader.Require(type <= (byte)TreeKind.BlockDevice);
        var created = new CreateObject(
            id, (TreeKind)type, reader.VarUInt32(), reader.VarUInt32(), reader.VarUInt32(), reader.VarUInt32(),
            new WallTime(reader.Int64()), Bytes(ref reader, LinkTargetBytesMax));
        reader.Require(created.Mode <= 0xFFF && (created.Type == TreeKind.SymbolicLink) != created.LinkTarget.IsEmpty);
        return created;
    }

    private static void EncodeObjectChange(WireWriter writer, Primitive primitive)
    {
        switch (primitive)
        {
            case WriteVersion p:
                writer.Bytes16(p.Object.Value);
                writer.Bytes16(p.Version.Value);
                Versions(writer, p.Parents);
                writer.VarUInt((ulong)p.SizeBytes);
                writer.VarUInt((ulong)p.DataBytes);
                writer.Int64(p.Modified.UnixNanoseconds);
                writer.LengthPrefixed(p.Manifest.Span);
                break;
            case SetAttributes p:
                writer.Bytes16(p.Object.Value);
                writer.Byte((byte)((p.Mode is null ? 0 : 1) | (p.UserId is null ? 0 : 2) | (p.GroupId is null ? 0 : 4)
                    | (p.Modified is null ? 0 : 8) | (p.Head == default ? 0 : 16)));
                OptionalVarUInt(writer, p.Mode);
                OptionalVarUInt(writer, p.UserId);
                OptionalVarUInt(writer, p.GroupId);
                if (p.Modified is { } modified)
                {
                    writer.Int64(modified.UnixNanoseconds);
                }

                if (p.Head != default)
                {
                    writer.Bytes16(p.Head.Value);
                }

                break;
            case SetExtendedAttribute p:
                writer.Bytes16(p.Object.Value);
                writer.LengthPrefixed(p.Name.Span);
                writer.Boolean(p.Value is not null);
                if (p.Value is { } value)
                {
                    writer.LengthPrefixed(value.Span);
                }

                break;
            case DiscardHeads p:
                writer.Bytes16(p.Object.Value);
                Versions(writer, p.Versions);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private static Primitive? DecodeObjectChange(ref WireReader reader, PrimitiveKind kind)
    {
        ObjectId id = Object(ref reader);
        switch (kind)
        {
            case PrimitiveKind.WriteVersion:
                var written = new WriteVersion(
                    id, new VersionId(reader.Bytes16()), Versions(ref reader), (long)reader.VarUInt(),
                    (long)reader.VarUInt(), new WallTime(reader.Int64()),
                    Bytes(ref reader, Transaction.ManifestBytesMax));
                reader.Require(written.SizeBytes >= 0 && written.DataBytes >= 0
                    && written.DataBytes <= written.SizeBytes
                    && written.Version != default);
                return written;
            case PrimitiveKind.SetAttributes:
                byte set = reader.Byte();
                reader.Require(set < 32 && (set & 15) != 0 && ((set & 16) == 0 || (set & 8) != 0));
                uint? mode = (set & 1) == 0 ? null : reader.VarUInt32();
                reader.Require(mode is null or <= 0xFFF);
                uint? user = (set & 2) == 0 ? null : reader.VarUInt32();
                uint? group = (set & 4) == 0 ? null : reader.VarUInt32();
                WallTime? modified = (set & 8) == 0 ? null : new WallTime(reader.Int64());
                var head = new VersionId((set & 16) == 0 ? default : reader.Bytes16());
                reader.Require((set & 16) == 0 || head != default);
                return new SetAttributes(id, head, mode, user, group, modified);
            case PrimitiveKind.SetExtendedAttribute:
                ReadOnlyMemory<byte> name = Bytes(ref reader, NameBytesMax);
                reader.Require(!name.IsEmpty && !name.Span.Contains((byte)0));
                ReadOnlyMemory<byte>? value = null;
                if (reader.Boolean())
                {
                    value = Bytes(ref reader, AttributeBytesMax);
                }

                return new SetExtendedAttribute(id, name, value);
            default:
                return new DiscardHeads(id, Versions(ref reader));
        }
    }

    private static void Entry(WireWriter writer, ObjectId parent, ReadOnlyMemory<byte> name)
    {
        writer.Bytes16(parent.Value);
        writer.LengthPrefixed(name.Span);
    }

    private static void Versions(WireWriter writer, ImmutableArray<VersionId> versions)
    {
        writer.Count(versions.Length);
        foreach (VersionId version in versions)
        {
            writer.Bytes16(version.Value);
        }
    }

    private static void Replaced(WireWriter writer, Predecessor? replaced)
    {
        writer.Boolean(replaced is not null);
        if (replaced is not null)
        {
            writer.Bytes16(replaced.Object.Value);
            Versions(writer, replaced.Heads);
        }
    }

    private static void OptionalVarUInt(WireWriter writer, uint? value)
    {
        if (value is { } number)
        {
            writer.VarUInt(number);
        }
    }

    private static ObjectId Object(ref WireReader reader) => new(reader.Bytes16());

    private static ReadOnlyMemory<byte> Bytes(ref WireReader reader, int lengthMax) =>
        reader.LengthPrefixed(lengthMax).ToArray();

    private static ReadOnlyMemory<byte> Name(ref WireReader reader)
    {
        ReadOnlySpan<byte> name = reader.LengthPrefixed(NameBytesMax);
        reader.Require(EntryName.IsValid(name));
        return name.ToArray();
    }

    private static ImmutableArray<VersionId> Versions(ref WireReader reader)
    {
        int count = reader.Count(VersionId.Size);
        if (count == 0)
        {
            return [];
        }

        var versions = new VersionId[count];
        for (int i = 0; i < count; i++)
        {
            versions[i] = new VersionId(reader.Bytes16());
        }

        return System.Runtime.InteropServices.ImmutableCollectionsMarshal.AsImmutableArray(versions);
    }

    private static Predecessor? Replaced(ref WireReader reader) =>
        reader.Boolean() ? new Predecessor(Object(ref reader), Versions(ref reader)) : null;
}
