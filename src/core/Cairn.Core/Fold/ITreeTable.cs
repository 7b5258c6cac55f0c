namespace Cairn.Core.Fold;

/// <summary>An ordered map from byte keys to byte values: where a fold keeps its state.</summary>
/// <remarks>
/// Arrays that go in or come out belong to the table: nobody ever changes their bytes, so that a previous value can be kept
/// as it is. One caller at a time. Keys are at most 1 KiB and ordered as unsigned bytes, a prefix before what it prefixes.
/// </remarks>
public interface ITreeTable
{
    /// <summary>The value of a key, or null.</summary>
    byte[]? Get(ReadOnlySpan<byte> key);

    /// <summary>Sets a key, or deletes it when <paramref name="value"/> is null.</summary>
    /// <returns>The value before, or null.</returns>
    byte[]? Put(ReadOnlySpan<byte> key, byte[]? value);

    /// <summary>Walks keys in order; the table may change meanwhile, the walk then continues after its last key.</summary>
    /// <param name="from">The first key, included.</param>
    /// <param name="to">The end, excluded; empty means no end.</param>
    TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to);
}

/// <summary>A walk over a table.</summary>
public abstract class TableCursor
{
    /// <summary>The key at the cursor, after a successful <see cref="MoveNext"/>.</summary>
    public abstract byte[] Key { get; }

    /// <summary>The value at the cursor.</summary>
    public abstract byte[] Value { get; }

    /// <summary>Moves to the next key; false at the end.</summary>
    public abstract bool MoveNext();
}
