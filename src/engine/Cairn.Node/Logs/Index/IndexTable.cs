using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Index;

/// <summary>The index below a fold cannot be read: it is emptied and rebuilt from the logs at the next opening.</summary>
public sealed class IndexUnusableException : Exception
{
    /// <summary>Without a message.</summary>
    public IndexUnusableException()
    {
    }

    /// <summary>With the database's words.</summary>
    public IndexUnusableException(string message)
        : base(message)
    {
    }

    /// <summary>With the database's words and a cause.</summary>
    public IndexUnusableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>A durable index as the source below an <see cref="OverlayTable"/>.</summary>
/// <remarks>Thread: any, as the index itself.</remarks>
public sealed class IndexTable(IIndexStore index) : ITableSource
{
    /// <summary>First byte of the records that are this node's own and in no log: numbers of inodes and handles, a salt.</summary>
    public const byte NodesOwn = FoldKeys.StateEnd;

    private const int FirstPage = 16;
    private const int LargestPage = 1024;

    /// <summary>Whether a record is this node's own: no other table has it.</summary>
    public static bool IsNodesOwn(ReadOnlySpan<byte> key) =>
        !key.IsEmpty && key[0] is >= NodesOwn and < FoldKeys.Reserved;

    /// <inheritdoc/>
    public TableBytes Find(ReadOnlySpan<byte> key)
    {
        Result<byte[]?, IndexError> got = index.Get(key);
        return got.IsOk ? TableBytes.Of(got.Value) : throw new IndexUnusableException(got.Error.Detail);
    }

    /// <inheritdoc/>
    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) =>
        new Cursor(index, from.ToArray(), to.ToArray());

    private sealed class Cursor(IIndexStore index, byte[] from, byte[] to) : TableCursor
    {
        private IReadOnlyList<KeyValuePair<byte[], byte[]>> _page = [];
        private byte[] _from = from;
        private int _at = -1;
        private int _limit = FirstPage;
        private bool _isLast;

        public override bool MoveNext()
        {
            if (++_at < _page.Count)
            {
                return StandAtRow();
            }

            if (_isLast)
            {
                return false;
            }

            Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> page = index.Scan(_from, to, _limit);
            _page = page.IsOk ? page.Value : throw new IndexUnusableException(page.Error.Detail);
            _isLast = _page.Count < _limit;
            _limit = Math.Min(_limit * 4, LargestPage);
            _at = 0;
            if (_page.Count == 0)
            {
                return false;
            }

            // The first key after the last of the page: the same bytes and a zero.
            _from = [.. _page[^1].Key, 0];
            return StandAtRow();
        }

        private bool StandAtRow() => StandAt(TableBytes.Of(_page[_at].Key), TableBytes.Of(_page[_at].Value));
    }
}
