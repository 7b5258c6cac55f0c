namespace Cairn.Core.Primitives;

/// <summary>What an entry points at (a file, directory or link): drawn from <see cref="FreshIds"/>, never reused.</summary>
/// <param name="Value">The raw bytes.</param>
public readonly record struct ObjectId(Bytes16 Value) : IComparable<ObjectId>
{
    /// <summary>Length in bytes.</summary>
    public const int Size = Bytes16.Size;

    /// <summary>Copies exactly <see cref="Size"/> bytes.</summary>
    public ObjectId(ReadOnlySpan<byte> bytes)
        : this(new Bytes16(bytes))
    {
    }

    /// <summary>The first eight hexadecimal digits, for logs and people.</summary>
    public string Short => Value.ToHex(4);

    /// <summary>Parses the form that <see cref="ToString"/> prints.</summary>
    public static bool TryParse(string? text, out ObjectId id)
    {
        bool ok = Bytes16.TryParseHex(text, out Bytes16 value);
        id = new ObjectId(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(ObjectId other) => Value.CompareTo(other.Value);

    /// <summary>All bytes as lower-case hexadecimal.</summary>
    public override string ToString() => Value.ToHex();

    /// <summary>Before, in byte order.</summary>
    public static bool operator <(ObjectId left, ObjectId right) => left.Value < right.Value;

    /// <summary>After, in byte order.</summary>
    public static bool operator >(ObjectId left, ObjectId right) => left.Value > right.Value;

    /// <summary>Before or equal, in byte order.</summary>
    public static bool operator <=(ObjectId left, ObjectId right) => left.Value <= right.Value;

    /// <summary>After or equal, in byte order.</summary>
    public static bool operator >=(ObjectId left, ObjectId right) => left.Value >= right.Value;
}
