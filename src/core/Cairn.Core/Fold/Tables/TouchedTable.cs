namespace Cairn.Core.Fold.Tables;

/// <summary>A table that remembers with which bytes the keys began that were written since it was last asked.</summary>
/// <remarks>For who reads all keys of a kind anew when one of them may have changed. Not thread-safe.</remarks>
/// <param name="table">Where the keys are.</param>
public sealed class TouchedTable(ITreeTable table) : ITreeTable
{
    private bool[] _touched = AllTouched();

    /// <inheritdoc/>
    public TableBytes Find(ReadOnlySpan<byte> key) => table.Find(key);

    /// <inheritdoc/>
    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => table.Scan(from, to);

    /// <inheritdoc/>
    public TableWrite Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Touch(key);
        return table.Set(key, value);
    }

    /// <inheritdoc/>
    public TableWrite Remove(ReadOnlySpan<byte> key)
    {
        Touch(key);
        return table.Remove(key);
    }

    /// <inheritdoc/>
    public void Drop(ReadOnlySpan<byte> key)
    {
        Touch(key);
        table.Drop(key);
    }

    /// <summary>Whether keys that begin with a byte were written since this was last called; at first, all count as written.</summary>
    public Func<byte, bool> TakeTouched()
    {
        bool[] taken = _touched;
        _touched = new bool[byte.MaxValue + 1];
        return first => taken[first];
    }

    private void Touch(ReadOnlySpan<byte> key) => _touched[key.Length == 0 ? 0 : key[0]] = true;

    private static bool[] AllTouched()
    {
        bool[] all = new bool[byte.MaxValue + 1];
        Array.Fill(all, true);
        return all;
    }
}
