namespace Cairn.Core.Fold;

/// <summary>An ordered map from byte keys to byte values, for reading.</summary>
/// <remarks>
/// Arrays that go in or come out belong to the table: nobody ever changes their bytes, so that a previous value can
/// be kept
/// as it is. Keys are at most 1 KiB and ordered as unsigned bytes, a prefix before what it prefixes.
/// </remarks>
public interface ITableSource
{
    /// <summary>The value of a key, or null.</summary>
    byte[]? Get(ReadOnlySpan<byte> key);

    /// <summary>
    /// Walks keys in order; the table may change meanwhile, the walk then continues after its last key.
    /// </summary>
    /// <param name="from">The first key, included.</param>
    /// <param name="to">The end, excluded; empty means no end.</param>
    TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to);
}

/// <summary>A table that can be written: where a fold keeps its state. One caller at a time.</summary>
public interface ITreeTable : ITableSource
{
    /// <summary>Sets a key, or deletes it when <paramref name="value"/> is null.</summary>
    /// <returns>The value before, or null.</returns>
    byte[]? Put(ReadOnlySpan<byte> key, byte[]? value);

    /// <summary>As the other, without a copy of the key: its array belongs to the table, too.</summary>
    byte[]? Put(byte[] key, byte[]? value);
}

/// <summary>A table whose changes are carried to a durable index in the background.</summary>
/// <remarks>
/// Call <see cref="OrderedFold.Save"/>, then <see cref="TakeChanges"/>, both without a transaction in between; write
/// what it
/// gave in one transaction of the index; then call <see cref="ChangesPersisted"/>. Reads see everything all the time.
/// </remarks>
public interface IPersistedTable : ITreeTable
{
    /// <summary>How many changes wait to be taken: more than this many keys are never among them.</summary>
    int ChangeCount { get; }

    /// <summary>
    /// Every key changed since the last time with its value now; null means deleted. Each key once, sorted.
    /// </summary>
    /// <exception cref="Primitives.InvariantException">What was taken before has not been confirmed.</exception>
    IReadOnlyList<KeyValuePair<byte[], byte[]?>> TakeChanges();

    /// <summary>What was taken is in the index now.</summary>
    void ChangesPersisted();
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
