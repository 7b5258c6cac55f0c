using System.Buffers.Binary;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>The 32 clear bytes before a chunk's segments; all of them are authenticated by every segment.</summary>
/// <remarks>
/// magic "CRNC", version, encoding, two zero bytes, payload length, plain length, salt. It names neither volume nor
/// epoch: who has no keys learns no more than sizes. Source: docs/formats/chunk.md.
/// </remarks>
internal readonly ref struct ChunkHeader
{
    public const int Size = 32;
    public const int SaltSize = 16;
    public const byte FormatVersion = 1;

    private const uint Magic = 0x434E5243; // "CRNC", little-endian

    public required ChunkEncoding Encoding { get; init; }

    /// <summary>Bytes in the segments before they are sealed: the plain length unless compressed.</summary>
    public required int PayloadLength { get; init; }

    public required int PlainLength { get; init; }

    /// <summary>Empty for the deterministic encoding.</summary>
    public ReadOnlySpan<byte> Salt { get; init; }

    public void Write(Span<byte> destination)
    {
        destination = destination[..Size];
        destination.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Magic);
        destination[4] = FormatVersion;
        destination[5] = (byte)Encoding;
        BinaryPrimitives.WriteInt32LittleEndian(destination[8..], PayloadLength);
        BinaryPrimitives.WriteInt32LittleEndian(destination[12..], PlainLength);
        Salt.CopyTo(destination[16..]);
    }

    /// <summary>
    /// Whether <paramref name="bytes"/> are the header of this chunk; takes its salt and payload length.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ChunkRef chunk, out ChunkHeader header)
    {
        bool isRaw = chunk.Encoding == ChunkEncoding.Raw;
        header = new ChunkHeader
        {
            Encoding = chunk.Encoding,
            PayloadLength = isRaw ? chunk.PlainLength : BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            PlainLength = chunk.PlainLength,
            Salt = isRaw ? default : bytes.Slice(16, SaltSize),
        };
        Span<byte> expected = stackalloc byte[Size];
        header.Write(expected);
        return header.PayloadLength is > 0 and <= ChunkRef.PlainBytesMax && bytes[..Size].SequenceEqual(expected);
    }

    /// <summary>The header of a chunk in the deterministic encoding: nobody needs to read it.</summary>
    public static ChunkHeader Raw(int plainLength)
    {
        Invariant.That(plainLength is > 0 and <= ChunkRef.PlainBytesMax, $"a chunk of {plainLength} bytes");
        return new ChunkHeader { Encoding = ChunkEncoding.Raw, PayloadLength = plainLength, PlainLength = plainLength };
    }
}
