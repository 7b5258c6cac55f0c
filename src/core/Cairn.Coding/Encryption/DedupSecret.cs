using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>
/// A volume's secret that names chunks and places cuts. Never rotated: equal bytes keep one name for ever.
/// </summary>
/// <remarks>It opens nothing. Who has it can test whether a guessed content is in the volume.</remarks>
public sealed class DedupSecret : IEquatable<DedupSecret>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = KeyDerivation.KeySize;

    private readonly byte[] _bytes;

    /// <summary>Copies exactly <see cref="Size"/> random bytes.</summary>
    public DedupSecret(ReadOnlySpan<byte> bytes)
    {
        Invariant.That(bytes.Length == Size, $"a dedup secret of {bytes.Length} bytes");
        _bytes = bytes.ToArray();
    }

    /// <summary>The secret itself; for sealing it, and for the hashes of this assembly.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The same bytes, compared in constant time.</summary>
    public bool Equals(DedupSecret? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DedupSecret);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    /// <summary>Never the bytes.</summary>
    public override string ToString() => "dedup secret";
}
