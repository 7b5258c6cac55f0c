using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Core.Manifests;

/// <summary>A manifest as bytes and back. One manifest has one encoding.</summary>
/// <remarks>Source: docs/formats/manifest.md, "Manifest". Chunks are named where first used, so an insertion near the
/// front of a file moves the rest of the bytes without changing them and a chunked manifest deduplicates.</remarks>
public static class ManifestCodec
{
    /// <summary>The version this code writes and the newest it reads.</summary>
    public const byte FormatVersion = 1;

    private const byte TagHole = 0;
    private const byte TagInline = 1;
    private const byte TagNewChunk = 2;
    private const byte TagKnownChunk = 3;

    /// <summary>The encoded manifest as a new array.</summary>
    public static byte[] Encode(Manifest manifest)
    {
        ArrayBufferWriter<byte> output = new(64 + (80 * manifest.Items.Length));
        Encode(manifest, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Appends the encoded manifest.</summary>
    public static void Encode(Manifest manifest, IBufferWriter<byte> output)
    {
        WireWriter writer = new(output);
        writer.Byte(FormatVersion);
        List<EpochId> epochs = EpochsOf(manifest);
        writer.Count(epochs.Count);
        foreach (EpochId epoch in epochs)
        {
            writer.Bytes16(epoch.Value);
        }

        writer.Count(manifest.Items.Length);
        Dictionary<ChunkRef, int> known = [];
        foreach (ManifestItem item in manifest.Items)
        {
            switch (item)
            {
                case ManifestItem.Hole hole:
                    writer.Byte(TagHole);
                    writer.VarUInt((ulong)hole.LengthBytes);
                    break;
                case ManifestItem.Inline inline:
                    writer.Byte(TagInline);
                    writer.LengthPrefixed(inline.Bytes.Span);
                    break;
                case ManifestItem.Ref reference:
                    WriteRef(writer, reference, known, epochs);
                    break;
                default:
                    Invariant.Fail($"an item of type {item.GetType()}");
                    break;
            }
        }
    }

    /// <summary>Reads what <see cref="Encode(Manifest)"/> wrote; never throws on bad input.</summary>
    public static Result<Manifest, ManifestError> Decode(ReadOnlySpan<byte> bytes)
    {
        WireReader reader = new(bytes);
        byte version = reader.Byte();
        if (!reader.Failed && version > FormatVersion)
        {
            return ManifestError.NewerFormat;
        }

        reader.Require(version == FormatVersion);
        EpochId[] epochs = new EpochId[reader.Count(Bytes16.Size)];
        for (int i = 0; i < epochs.Length; i++)
        {
            epochs[i] = new EpochId(reader.Bytes16());
        }

        int count = reader.Count(2);
        ManifestBuilder builder = new();
        ChunkTable table = new(epochs);
        bool canonical = true;
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            ManifestItem? item = ReadItem(ref reader, table);
            if (item is null || item.LengthBytes > long.MaxValue - builder.SizeBytes)
            {
                return ManifestError.Malformed;
            }

            canonical &= !builder.Append(item);
        }

        if (!reader.Complete)
        {
            return ManifestError.Malformed;
        }

        return canonical && table.IsCanonical ? builder.Build() : ManifestError.NotCanonical;
    }

    private static List<EpochId> EpochsOf(Manifest manifest)
    {
        List<EpochId> epochs = [];
        foreach (ManifestItem item in manifest.Items)
        {
            if (item is ManifestItem.Ref reference && !epochs.Contains(reference.Chunk.Epoch))
            {
                epochs.Add(reference.Chunk.Epoch);
            }
        }

        return epochs;
    }

    private static void WriteRef(
        WireWriter writer, ManifestItem.Ref reference, Dictionary<ChunkRef, int> known, List<EpochId> epochs)
    {
        ChunkRef chunk = reference.Chunk;
        if (known.TryGetValue(chunk, out int number))
        {
            writer.Byte(TagKnownChunk);
            writer.Count(known.Count - 1 - number);
        }
        else
        {
            known.Add(chunk, known.Count);
            writer.Byte(TagNewChunk);
            writer.Bytes32(chunk.Id.Value);
            writer.Bytes32(chunk.Address.Value);
            writer.Count(epochs.IndexOf(chunk.Epoch));
            writer.Byte((byte)chunk.Encoding);
            writer.Count(chunk.PlainLength);
            writer.Count(chunk.StoredLength);
        }

        writer.Count(reference.Offset);
        writer.Count(reference.Length);
    }

    private static ManifestItem? ReadItem(ref WireReader reader, ChunkTable table)
    {
        switch (reader.Byte())
        {
            case TagHole:
                ulong length = reader.VarUInt();
                return length is > 0 and <= long.MaxValue ? new ManifestItem.Hole((long)length) : null;
            case TagInline:
                ReadOnlySpan<byte> bytes = reader.LengthPrefixed(ManifestItem.Inline.BytesMax);
                return bytes.IsEmpty ? null : new ManifestItem.Inline(bytes.ToArray());
            case TagNewChunk:
                return ReadRange(ref reader, table.ReadNew(ref reader));
            case TagKnownChunk:
                return ReadRange(ref reader, table.Known(reader.VarUInt()));
            default:
                return null;
        }
    }

    private static ManifestItem.Ref? ReadRange(ref WireReader reader, ChunkRef? chunk)
    {
        ulong offset = reader.VarUInt();
        ulong length = reader.VarUInt();
        bool inside = chunk is not null && !reader.Failed && length > 0
            && offset < (ulong)chunk.PlainLength && length <= (ulong)chunk.PlainLength - offset;
        return inside ? new ManifestItem.Ref(chunk!, (int)offset, (int)length) : null;
    }

    /// <summary>The chunks named so far while decoding, and whether they were named as a writer must.</summary>
    private sealed class ChunkTable(EpochId[] epochs)
    {
        private readonly List<ChunkRef> _chunks = [];
        private readonly HashSet<ChunkRef> _seen = [];
        private int _epochsSeen;
        private bool _ordered = true;

        public bool IsCanonical =>
            _ordered && _epochsSeen == epochs.Length && new HashSet<EpochId>(epochs).Count == epochs.Length;

        public ChunkRef? Known(ulong distance) =>
            distance < (ulong)_chunks.Count ? _chunks[_chunks.Count - 1 - (int)distance] : null;

        public ChunkRef? ReadNew(ref WireReader reader)
        {
            ChunkId id = new(reader.Bytes32());
            ChunkAddress address = new(reader.Bytes32());
            ulong epoch = reader.VarUInt();
            byte encoding = reader.Byte();
            ulong plainLength = reader.VarUInt();
            ulong storedLength = reader.VarUInt();
            bool valid = !reader.Failed && epoch < (ulong)epochs.Length && encoding <= (byte)ChunkEncoding.Compressed
                && plainLength is > 0 and <= ChunkRef.PlainBytesMax
                && storedLength is > 0 and <= ChunkRef.StoredBytesMax;
            if (!valid)
            {
                return null;
            }

            _ordered &= (int)epoch <= _epochsSeen;
            _epochsSeen = Math.Max(_epochsSeen, (int)epoch + 1);
            ChunkRef chunk = new(
                id, address, epochs[(int)epoch], (int)plainLength, (int)storedLength, (ChunkEncoding)encoding);
            _ordered &= _seen.Add(chunk);
            _chunks.Add(chunk);
            return chunk;
        }
    }
}
