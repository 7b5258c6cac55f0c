using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Cairn.Core.Primitives;

/// <summary>Sixteen bytes held by value, ordered as bytes: the body of every random id.</summary>
public readonly struct Bytes16 : IEquatable<Bytes16>, IComparable<Bytes16>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 16;

    private readonly ulong _a;
    private readonly ulong _b;

    /// <summary>Copies exactly 16 bytes.</summary>
    public Bytes16(ReadOnlySpan<byte> bytes)
    {
        Invariant.That(bytes.Length == Size, $"an id of {bytes.Length} bytes, not {Size}");
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
    }

    /// <summary>The first eight bytes, big-endian: the most significant part of the order.</summary>
    public ulong Prefix => _a;

    /// <summary>The last eight bytes, big-endian: independent of <see cref="Prefix"/> in a random id.</summary>
    public ulong Suffix => _b;

    /// <summary>Writes the 16 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
    }

    /// <summary>A new array of the 16 bytes.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>Lower-case hexadecimal of the first <paramref name="byteCount"/> bytes.</summary>
    public string ToHex(int byteCount = Size)
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes[..byteCount]);
    }

    /// <summary>Parses 32 hexadecimal digits.</summary>
    public static bool TryParseHex([NotNullWhen(true)] string? text, out Bytes16 value)
    {
        Span<byte> bytes = stackalloc byte[Size];
        bool ok = text is { Length: 2 * Size }
            && Convert.FromHexString(text, bytes, out _, out int written) == System.Buffers.OperationStatus.Done
            && written == Size;
        value = ok ? new Bytes16(bytes) : default;
        return ok;
    }

    /// <inheritdoc/>
    public bool Equals(Bytes16 other) => _a == other._a && _b == other._b;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Bytes16 other && Equals(other);

    /// <summary>The same in every process: the bytes are random already.</summary>
    public override int GetHashCode() => (int)(_b ^ (_b >> 32) ^ _a);

    /// <inheritdoc/>
    public int CompareTo(Bytes16 other)
    {
        int order = _a.CompareTo(other._a);
        return order != 0 ? order : _b.CompareTo(other._b);
    }

    /// <inheritdoc/>
    public override string ToString() => ToHex();

    /// <summary>Same bytes.</summary>
    public static bool operator ==(Bytes16 left, Bytes16 right) => left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(Bytes16 left, Bytes16 right) => !left.Equals(right);

    /// <summary>Before, in byte order.</summary>
    public static bool operator <(Bytes16 left, Bytes16 right) => left.CompareTo(right) < 0;

    /// <summary>After, in byte order.</summary>
    public static bool operator >(Bytes16 left, Bytes16 right) => left.CompareTo(right) > 0;

    /// <summary>Before or equal, in byte order.</summary>
    public static bool operator <=(Bytes16 left, Bytes16 right) => left.CompareTo(right) <= 0;

    /// <summary>After or equal, in byte order.</summary>
    public static bool operator >=(Bytes16 left, Bytes16 right) => left.CompareTo(right) >= 0;
}
