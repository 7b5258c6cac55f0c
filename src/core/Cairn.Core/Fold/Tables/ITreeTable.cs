namespace Cairn.Core.Fold.Tables;

/// <summary>An ordered map from byte keys to byte values, for reading.</summary>
/// <remarks>
/// What comes out never changes, so that a previous value can be kept as it is. Keys are at most 1 KiB and ordered as
/// unsigned bytes, a prefix before what it prefixes. <see cref="TableAccess"/> has shorter forms for who is in no hurry.
/// </remarks>
public interface ITableSource
{
    /// <summary>The value of a key, or absence.</summary>
    TableBytes Find(ReadOnlySpan<byte> key);

    /// <summary>
    /// Walks keys in order; the table may change meanwhile, the walk then continues after its last key.
    /// </summary>
    /// <param name="from">The first key, included.</param>
    /// <param name="to">The end, excluded; empty means no end.</param>
    TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to);
}

/// <summary>A table that can be written: where a fold keeps its state. One caller at a time.</summary>
/// <remarks>Keys and values are copied: the caller's bytes are its own.</remarks>
public interface ITreeTable : ITableSource
{
    /// <summary>Sets a key.</summary>
    TableWrite Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>Takes a key out, if it is there.</summary>
    TableWrite Remove(ReadOnlySpan<byte> key);

    /// <summary>As <see cref="Remove"/>, for who does not want to know what was there: nothing is read.</summary>
    void Drop(ReadOnlySpan<byte> key) => Remove(key);
}

/// <summary>What a write did.</summary>
/// <param name="Key">The key, as the table keeps it; absent if there was nothing to do.</param>
/// <param name="Before">Its value before.</param>
/// <param name="Now">Its value now.</param>
public readonly record struct TableWrite(TableBytes Key, TableBytes Before, TableBytes Now);

/// <summary>A key that changed.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">Its value now; absent if it was removed.</param>
public readonly record struct TableChange(TableBytes Key, TableBytes Value);

/// <summary>A table whose changes are carried to a durable index in the background.</summary>
/// <remarks>
/// Call <see cref="OrderedFold.Save"/>, then <see cref="TakeChanges"/>, both without a transaction in between; write
/// what it gave in one transaction of the index; then call <see cref="ChangesPersisted"/>. Reads see everything all the
/// time.
/// </remarks>
public interface IPersistedTable : ITreeTable
{
    /// <summary>How many changes wait to be taken: more than this many keys are never among them.</summary>
    int ChangeCount { get; }

    /// <summary>
    /// Every key changed since the last time with its value now. Each key once, sorted.
    /// </summary>
    /// <exception cref="Primitives.InvariantException">What was taken before has not been confirmed.</exception>
    IReadOnlyList<TableChange> TakeChanges();

    /// <summary>What was taken is in the index now.</summary>
    void ChangesPersisted();
}
