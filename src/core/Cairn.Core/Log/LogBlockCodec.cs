using System.Buffers;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>Bytes of a block. docs/formats/log-block.md.</summary>
public static class LogBlockCodec
{
    /// <summary>The version of the layout.</summary>
    public const byte FormatVersion = 1;

    private const uint Magic = 0x4B4C4243; // "CBLK" in the file's order

    /// <summary>Everything the signature covers: the block without its signature.</summary>
    public static byte[] EncodeUnsigned(LogBlock block)
    {
        var output = new ArrayBufferWriter<byte>(block.Payload.Length + 256);
        var writer = new WireWriter(output);
        writer.UInt32(Magic);
        writer.Byte(FormatVersion);
        writer.Bytes16(block.Volume.Value);
        writer.Bytes32(block.Log.Author.Value);
        writer.VarUInt(block.Log.Incarnation);
        writer.VarUInt(block.Seq);
        writer.VarUInt(block.FirstTransaction);
        writer.VarUInt(block.LastTransaction);
        writer.Bytes32(block.Previous.Value);
        writer.Bytes16(block.Epoch.Value);
        writer.LengthPrefixed(block.Payload.Span);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>
    /// The signed block: <paramref name="unsigned"/> from <see cref="EncodeUnsigned"/>, then the signature.
    /// </summary>
    public static byte[] Sign(ReadOnlySpan<byte> unsigned, ReadOnlySpan<byte> signature)
    {
        Invariant.That(signature.Length == LogBlock.SignatureSize, $"a signature of {signature.Length} bytes");
        Invariant.That(unsigned.Length + signature.Length <= LogBlock.EncodedBytesMax,
            $"a block of {unsigned.Length} bytes");
        byte[] signed = new byte[unsigned.Length + signature.Length];
        unsigned.CopyTo(signed);
        signature.CopyTo(signed.AsSpan(unsigned.Length));
        return signed;
    }

    /// <summary>A signed block's bytes.</summary>
    public static byte[] Encode(LogBlock block) => Sign(EncodeUnsigned(block), block.Signature.Span);

    /// <summary>The part of an encoded block that the signature covers.</summary>
    public static ReadOnlySpan<byte> SignedBytes(ReadOnlySpan<byte> encoded) =>
        encoded[..Math.Max(0, encoded.Length - LogBlock.SignatureSize)];

    /// <summary>
    /// What the next block names as its previous: SHA-256 of the signed part, so that signing again is not a fork.
    /// </summary>
    public static BlockHash Hash(ReadOnlySpan<byte> encoded)
    {
        Span<byte> hash = stackalloc byte[BlockHash.Size];
        SHA256.HashData(SignedBytes(encoded), hash);
        return new BlockHash(hash);
    }

    /// <summary>
    /// Reads a block; the payload and signature are slices of <paramref name="encoded"/>. The signature is not
    /// checked here.
    /// </summary>
    public static Result<LogBlock, LogError> Decode(ReadOnlyMemory<byte> encoded)
    {
        if (encoded.Length > LogBlock.EncodedBytesMax)
        {
            return LogError.TooLarge;
        }

        var reader = new WireReader(encoded.Span);
        reader.Require(reader.UInt32() == Magic);
        byte version = reader.Byte();
        if (!reader.Failed && version > FormatVersion)
        {
            return LogError.NewerFormat;
        }

        reader.Require(version == FormatVersion);
        var volume = new VolumeId(reader.Bytes16());
        var author = new NodeId(reader.Bytes32());
        ulong incarnation = reader.VarUInt();
        ulong seq = reader.VarUInt();
        ulong first = reader.VarUInt();
        ulong last = reader.VarUInt();
        var previous = new BlockHash(reader.Bytes32());
        var epoch = new EpochId(reader.Bytes16());
        int payloadLength = reader.LengthPrefixed().Length;
        int payloadEnd = encoded.Length - reader.Remaining;
        int signatureLength = reader.Raw(LogBlock.SignatureSize).Length;
        reader.Require(incarnation is > 0 and <= uint.MaxValue && seq > 0 && first >= seq && last >= first
            && (seq == 1) == (previous == default) && (seq != 1 || first == 1));
        if (!reader.Complete)
        {
            return LogError.Malformed;
        }

        return new LogBlock(
            volume, new LogId(author, (uint)incarnation), seq, first, last, previous, epoch,
            encoded.Slice(payloadEnd - payloadLength, payloadLength), encoded.Slice(payloadEnd, signatureLength));
    }
}
