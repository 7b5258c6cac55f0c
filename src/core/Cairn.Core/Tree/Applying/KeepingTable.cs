using System.Buffers.Binary;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>
/// The table as the tree's rules write it: before a key changes for the first time after the last mark, its value is
/// kept.
/// </summary>
/// <remarks>
/// A kept value is what the state was at the mark it is kept under, and at all marks before it back to the one under
/// which the same key was kept before. So a change costs one kept value at most, however many snapshots there are.
/// All of it is in the table, undone and done again like the change itself: docs/decisions/snapshots.md.
/// </remarks>
internal sealed class KeepingTable : ITreeTable
{
    private ITreeTable _inner = new MemoryTable();
    private bool _isKnown;
    private bool _hasMarks;
    private ulong _last;

    /// <summary>A value as it is kept; absence is kept, too.</summary>
    internal static byte[] Encode(byte[]? value) => value is null ? [] : [1, .. value];

    /// <summary>What was kept; null means that there was nothing.</summary>
    internal static byte[]? Decode(byte[] kept) => kept.Length == 0 ? null : kept[1..];

    /// <summary>The last position given to a mark, gone or not; 0 for none.</summary>
    internal static ulong LastPosition(ITableSource table) =>
        table.Get([TreeKeys.Mark]) is { } last ? BinaryPrimitives.ReadUInt64BigEndian(last) : 0;

    /// <summary>What is written now goes to a state.</summary>
    internal void Begin(ITreeTable state) => _inner = state;

    /// <summary>Marks came or went.</summary>
    internal void Forget() => _isKnown = false;

    public TableBytes Find(ReadOnlySpan<byte> key) => _inner.Find(key);

    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => _inner.Scan(from, to);

    public TableWrite Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => KeepBefore(_inner.Set(key, value));

    public TableWrite Remove(ReadOnlySpan<byte> key) => KeepBefore(_inner.Remove(key));

    private TableWrite KeepBefore(TableWrite write)
    {
        ReadOnlySpan<byte> key = write.Key.Span;
        if (TreeKeys.IsInSnapshots(key) && HasMarks())
        {
            Keep(key, write.Before);
        }

        return write;
    }

    private void Keep(ReadOnlySpan<byte> key, TableBytes before)
    {
        Span<byte> buffer = stackalloc byte[TreeKeys.KeptKeyMax];
        Span<byte> kept = TreeKeys.KeptAt(buffer, key, _last);
        if (_inner.Find(kept).IsAbsent)
        {
            _inner.Put(kept, Encode(before.AsArray()));
        }
    }

    private bool HasMarks()
    {
        if (!_isKnown)
        {
            _last = LastPosition(_inner);
            _hasMarks = _last > 0 && _inner.Scan([TreeKeys.Mark, 0], [TreeKeys.Mark + 1]).MoveNext();
            _isKnown = true;
        }

        return _hasMarks;
    }
}
