using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Cairn.Core.Primitives;

/// <summary>Thirty-two bytes held by value, ordered as bytes: the body of every hash-sized id.</summary>
public readonly struct Bytes32 : IEquatable<Bytes32>, IComparable<Bytes32>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = 32;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <summary>Copies exactly 32 bytes.</summary>
    public Bytes32(ReadOnlySpan<byte> bytes)
    {
        Invariant.That(bytes.Length == Size, $"an id of {bytes.Length} bytes, not {Size}");
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>The first eight bytes, big-endian: the most significant part of the order.</summary>
    public ulong Prefix => _a;

    /// <summary>The last eight bytes, big-endian: independent of <see cref="Prefix"/> in a hash.</summary>
    public ulong Suffix => _d;

    /// <summary>Writes the 32 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    /// <summary>A new array of the 32 bytes.</summary>
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

    /// <summary>Parses 64 hexadecimal digits.</summary>
    public static bool TryParseHex([NotNullWhen(true)] string? text, out Bytes32 value)
    {
        Span<byte> bytes = stackalloc byte[Size];
        bool ok = text is { Length: 2 * Size }
            && Convert.FromHexString(text, bytes, out _, out int written) == System.Buffers.OperationStatus.Done
            && written == Size;
        value = ok ? new Bytes32(bytes) : default;
        return ok;
    }

    /// <inheritdoc/>
    public bool Equals(Bytes32 other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Bytes32 other && Equals(other);

    /// <summary>The same in every process: the bytes are hashes already.</summary>
    public override int GetHashCode() => (int)(_d ^ (_d >> 32) ^ _a);

    /// <inheritdoc/>
    public int CompareTo(Bytes32 other)
    {
        // The first eight bytes nearly always decide.
        return _a != other._a ? (_a < other._a ? -1 : 1)
            : _b != other._b ? (_b < other._b ? -1 : 1)
            : _c != other._c ? (_c < other._c ? -1 : 1)
            : _d.CompareTo(other._d);
    }

    /// <inheritdoc/>
    public override string ToString() => ToHex();

    /// <summary>Same bytes.</summary>
    public static bool operator ==(Bytes32 left, Bytes32 right) => left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(Bytes32 left, Bytes32 right) => !left.Equals(right);

    /// <summary>Before, in byte order.</summary>
    public static bool operator <(Bytes32 left, Bytes32 right) => left.CompareTo(right) < 0;

    /// <summary>After, in byte order.</summary>
    public static bool operator >(Bytes32 left, Bytes32 right) => left.CompareTo(right) > 0;

    /// <summary>Before or equal, in byte order.</summary>
    public static bool operator <=(Bytes32 left, Bytes32 right) => left.CompareTo(right) <= 0;

    /// <summary>After or equal, in byte order.</summary>
    public static bool operator >=(Bytes32 left, Bytes32 right) => left.CompareTo(right) >= 0;
}
