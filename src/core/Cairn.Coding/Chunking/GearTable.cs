using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Coding.Encryption;

namespace Cairn.Coding.Chunking;

/// <summary>256 random words, one per byte value, that decide where a volume's files are cut.</summary>
/// <remarks>
/// Secret: with a public table, chunk lengths alone would tell which known file was stored.
/// Source: docs/formats/chunking.md.
/// </remarks>
public sealed class GearTable
{
    private readonly ulong[] _words;

    private GearTable(ulong[] words) => _words = words;

    /// <summary>The table, indexed by byte.</summary>
    internal ReadOnlySpan<ulong> Words => _words;

    /// <summary>HKDF-SHA256 of the dedup secret with salt "cairn/gear/1", read as little-endian words.</summary>
    public static GearTable Derive(DedupSecret secret)
    {
        Span<byte> bytes = stackalloc byte[256 * sizeof(ulong)];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret.Bytes, bytes, "cairn/gear/1"u8, default);
        ulong[] words = new ulong[256];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * sizeof(ulong))..]);
        }

        return new GearTable(words);
    }
}
