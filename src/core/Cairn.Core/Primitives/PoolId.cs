namespace Cairn.Core.Primitives;

/// <summary>A pool: random, made once by its founder.</summary>
/// <param name="Value">The raw bytes.</param>
public readonly record struct PoolId(Bytes16 Value) : IComparable<PoolId>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = Bytes16.Size;

    /// <summary>Copies exactly <see cref="Size"/> bytes.</summary>
    public PoolId(ReadOnlySpan<byte> bytes)
        : this(new Bytes16(bytes))
    {
    }

    /// <summary>The first eight hexadecimal digits, for logs and people.</summary>
    public string Short => Value.ToHex(4);

    /// <summary>Parses the form that <see cref="ToString"/> prints.</summary>
    public static bool TryParse(string? text, out PoolId id)
    {
        bool ok = Bytes16.TryParseHex(text, out Bytes16 value);
        id = new PoolId(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(PoolId other) => Value.CompareTo(other.Value);

    /// <summary>All bytes as lower-case hexadecimal.</summary>
    public override string ToString() => Value.ToHex();

    /// <summary>Before, in byte order.</summary>
    public static bool operator <(PoolId left, PoolId right) => left.Value < right.Value;

    /// <summary>After, in byte order.</summary>
    public static bool operator >(PoolId left, PoolId right) => left.Value > right.Value;

    /// <summary>Before or equal, in byte order.</summary>
    public static bool operator <=(PoolId left, PoolId right) => left.Value <= right.Value;

    /// <summary>After or equal, in byte order.</summary>
    public static bool operator >=(PoolId left, PoolId right) => left.Value >= right.Value;
}
