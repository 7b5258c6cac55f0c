using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>The key of one chunk, and what its tags vouch for beside the bytes.</summary>
/// <remarks>Source: docs/formats/chunk.md, "Key" and "Associated data".</remarks>
internal static class ChunkCipher
{
    /// <summary>Volume id, then the header.</summary>
    public const int AssociatedSize = VolumeId.Size + ChunkHeader.Size;

    /// <summary>Writes the associated data and makes the cipher of the chunk's derived key.</summary>
    public static SegmentCipher Make(
        VolumeId volume, EpochKey epoch, ChunkId id, in ChunkHeader header, Span<byte> associated)
    {
        volume.Value.CopyTo(associated);
        header.Write(associated[VolumeId.Size..]);

        Span<byte> context = stackalloc byte[ChunkId.Size + 1 + ChunkHeader.SaltSize];
        id.Value.CopyTo(context);
        context[ChunkId.Size] = (byte)header.Encoding;
        header.Salt.CopyTo(context[(ChunkId.Size + 1)..]);
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        KeyDerivation.Derive(epoch.Bytes, "cairn/chunk/1"u8, context[..(ChunkId.Size + 1 + header.Salt.Length)], key);
        SegmentCipher cipher = new(key);
        key.Clear();
        return cipher;
    }
}
