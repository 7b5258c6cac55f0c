using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>One of a volume's keys: the chunks and log blocks written in its epoch are under it.</summary>
/// <remarks>
/// Only the parent of derived keys; nothing is ever encrypted with it directly. Source: docs/formats/keys.md.
/// </remarks>
public sealed class EpochKey : IEquatable<EpochKey>
{
    /// <summary>Length of the key in bytes.</summary>
    public const int Size = KeyDerivation.KeySize;

    private readonly byte[] _bytes;

    /// <summary>Copies exactly <see cref="Size"/> random bytes.</summary>
    public EpochKey(EpochId id, ReadOnlySpan<byte> bytes)
    {
        Invariant.That(bytes.Length == Size, $"an epoch key of {bytes.Length} bytes");
        Id = id;
        _bytes = bytes.ToArray();
    }

    /// <summary>The epoch's name: random, in the clear wherever the key is used.</summary>
    public EpochId Id { get; }

    /// <summary>The key itself; for wrapping it, and for the ciphers of this assembly.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The same epoch and bytes, compared in constant time.</summary>
    public bool Equals(EpochKey? other) =>
        other is not null && Id == other.Id && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EpochKey);

    /// <inheritdoc/>
    public override int GetHashCode() => Id.Value.GetHashCode();

    /// <summary>Never the bytes.</summary>
    public override string ToString() => $"epoch {Id.Short}";
}
