using System.Buffers.Binary;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Tree.Applying;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Past;

/// <summary>The table as it was for the author of a snapshot, read out of the table as it is now.</summary>
/// <remarks>
/// A key's value is what the author saw otherwise than the order has it, else the first value that was kept under the
/// snapshot's mark or a later one, else the value of now. Only what a snapshot shows is there: no past, no trash.
/// </remarks>
public sealed class SnapshotTable(ITableSource table, ulong position) : ITableSource
{
    /// <inheritdoc/>
    public TableBytes Find(ReadOnlySpan<byte> key)
    {
        if (!TreeKeys.IsInSnapshots(key) || key.Length > TreeKeys.EntryKeyMax)
        {
            return default;
        }

        Span<byte> buffer = stackalloc byte[TreeKeys.KeptKeyMax];
        if (table.Get(TreeKeys.SeenAt(buffer, position, key)) is { } seen)
        {
            return TableBytes.Of(KeepingTable.Decode(seen));
        }

        byte[] from = TreeKeys.KeptAt(buffer, key, position).ToArray();
        TableCursor kept = table.Scan(from, TreeKeys.KeptAt(buffer, key, TreeKeys.PositionEnd));
        return kept.MoveNext() ? TableBytes.Of(KeepingTable.Decode(kept.Value)) : table.Find(key);
    }

    /// <inheritdoc/>
    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => new Cursor(table, position, from, to);

    /// <summary>Merges three walks in the order of the tree's keys; the first that has a key answers for it.</summary>
    private sealed class Cursor : TableCursor
    {
        private readonly SeenKeys _seen;
        private readonly KeptKeys _kept;
        private readonly ShownKeys _now;
        internal Cursor(ITableSource table, ulong position, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            _seen = new SeenKeys(table, position, from, to);
            _kept = new KeptKeys(table, position, from, to);
            _now = new ShownKeys(table, from, to);
        }

        public override bool MoveNext()
        {
            while (Lowest() is { } lowest)
            {
                (byte[] key, byte[]? value) = (lowest.Key!, lowest.Value);
                Pass(_seen, key);
                Pass(_kept, key);
                Pass(_now, key);
                if (value is not null)
                {
                    return StandAt(TableBytes.Of(key), TableBytes.Of(value));
                }
            }

            return false;
        }

        private Walk? Lowest()
        {
            Walk? lowest = _seen.Key is null ? null : _seen;
            lowest = Lower(lowest, _kept);
            return Lower(lowest, _now);
        }

        private static Walk? Lower(Walk? first, Walk second) =>
            second.Key is null || (first is not null && first.Key.AsSpan().SequenceCompareTo(second.Key) <= 0)
                ? first
                : second;

        private static void Pass(Walk walk, byte[] key)
        {
            if (walk.Key is { } at && at.AsSpan().SequenceEqual(key))
            {
                walk.Next();
            }
        }
    }

    /// <summary>A walk over keys of the tree; at its end the key is null.</summary>
    private abstract class Walk
    {
        internal byte[]? Key { get; private protected set; }

        /// <summary>Null: the key was absent.</summary>
        internal byte[]? Value { get; private protected set; }

        internal abstract void Next();
    }

    private sealed class ShownKeys : Walk
    {
        private readonly TableCursor _cursor;

        internal ShownKeys(ITableSource table, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            _cursor = table.Scan(from, to.IsEmpty ? [TreeKeys.Totals + 1] : to);
            Next();
        }

        internal override void Next()
        {
            (Key, Value) = (null, null);
            while (Key is null && _cursor.MoveNext())
            {
                if (TreeKeys.IsInSnapshots(_cursor.Key))
                {
                    (Key, Value) = (_cursor.Key, _cursor.Value);
                }
            }
        }
    }

    private sealed class SeenKeys : Walk
    {
        private readonly TableCursor _cursor;

        internal SeenKeys(ITableSource table, ulong position, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            Span<byte> mark = stackalloc byte[TreeKeys.MarkKeySize];
            byte[] prefix = TreeKeys.SeenAt(mark, position, []).ToArray();
            _cursor = table.Scan([.. prefix, .. from], to.IsEmpty ? TreeKeys.EndOf(prefix) : [.. prefix, .. to]);
            Next();
        }

        internal override void Next() => (Key, Value) = _cursor.MoveNext()
            ? (_cursor.Key[TreeKeys.MarkKeySize..], KeepingTable.Decode(_cursor.Value))
            : (null, null);
    }

    /// <summary>Of each key the first value kept under the mark or a later one.</summary>
    private sealed class KeptKeys : Walk
    {
        private readonly TableCursor _cursor;
        private readonly byte[] _from;
        private readonly byte[] _to;
        private readonly ulong _position;

        internal KeptKeys(ITableSource table, ulong position, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
        {
            (_from, _to, _position) = (from.ToArray(), to.ToArray(), position);

            // A record's key goes on with a position: it may sort behind a bound that the tree's key is before.
            byte[] end = to.IsEmpty
                ? [TreeKeys.Kept + 1]
                : [TreeKeys.Kept, .. to, .. Enumerable.Repeat(byte.MaxValue, TreeKeys.PositionSize + 1)];
            _cursor = table.Scan([TreeKeys.Kept, .. from], end);
            Next();
        }

        internal override void Next()
        {
            byte[]? last = Key;
            (Key, Value) = (null, null);
            while (Key is null && _cursor.MoveNext())
            {
                ReadOnlySpan<byte> record = _cursor.Key;
                ReadOnlySpan<byte> key = record[1..^TreeKeys.PositionSize];
                bool isWanted = BinaryPrimitives.ReadUInt64BigEndian(record[^TreeKeys.PositionSize..]) >= _position
                    && !key.SequenceEqual(last)
                    && key.SequenceCompareTo(_from) >= 0
                    && (_to.Length == 0 || key.SequenceCompareTo(_to) < 0);
                if (isWanted)
                {
                    (Key, Value) = (key.ToArray(), KeepingTable.Decode(_cursor.Value));
                }
            }
        }
    }
}
