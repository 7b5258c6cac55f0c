namespace Cairn.Core.Primitives;

/// <summary>The SHA-256 of a signed log block: the link of a log's hash chain.</summary>
/// <param name="Value">The raw bytes.</param>
public readonly record struct BlockHash(Bytes32 Value) : IComparable<BlockHash>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = Bytes32.Size;

    /// <summary>Copies exactly <see cref="Size"/> bytes.</summary>
    public BlockHash(ReadOnlySpan<byte> bytes)
        : this(new Bytes32(bytes))
    {
    }

    /// <summary>The first eight hexadecimal digits, for logs and people.</summary>
    public string Short => Value.ToHex(4);

    /// <summary>Parses the form that <see cref="ToString"/> prints.</summary>
    public static bool TryParse(string? text, out BlockHash id)
    {
        bool ok = Bytes32.TryParseHex(text, out Bytes32 value);
        id = new BlockHash(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(BlockHash other) => Value.CompareTo(other.Value);

    /// <summary>All bytes as lower-case hexadecimal.</summary>
    public override string ToString() => Value.ToHex();

    /// <summary>Before, in byte order.</summary>
    public static bool operator <(BlockHash left, BlockHash right) => left.Value < right.Value;

    /// <summary>After, in byte order.</summary>
    public static bool operator >(BlockHash left, BlockHash right) => left.Value > right.Value;

    /// <summary>Before or equal, in byte order.</summary>
    public static bool operator <=(BlockHash left, BlockHash right) => left.Value <= right.Value;

    /// <summary>After or equal, in byte order.</summary>
    public static bool operator >=(BlockHash left, BlockHash right) => left.Value >= right.Value;
}
