using System.Security.Cryptography;
using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Hashing;

/// <summary>The two hashes of a chunk: of what it is, and of what is stored.</summary>
/// <remarks>Source: docs/formats/chunk.md, "Names". Allocates nothing. Thread: any.</remarks>
public static class ChunkHasher
{
    /// <summary>HMAC-SHA256 of the plain bytes under the volume's dedup secret.</summary>
    public static ChunkId Id(DedupSecret secret, ReadOnlySpan<byte> plain)
    {
        Span<byte> hash = stackalloc byte[ChunkId.Size];
        HMACSHA256.HashData(secret.Bytes, plain, hash);
        return new ChunkId(hash);
    }

    /// <summary>SHA-256 of the stored bytes: anyone can check it.</summary>
    public static ChunkAddress Address(ReadOnlySpan<byte> stored)
    {
        Span<byte> hash = stackalloc byte[ChunkAddress.Size];
        SHA256.HashData(stored, hash);
        return new ChunkAddress(hash);
    }
}
