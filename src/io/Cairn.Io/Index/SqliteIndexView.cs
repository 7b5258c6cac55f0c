using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Index;

/// <summary>An index file as it was at a moment: a read transaction, while others write.</summary>
internal sealed class SqliteIndexView : IIndexStore
{
    private readonly Lock _gate = new();
    private readonly SqliteConnection _connection;

    private SqliteIndexView(SqliteConnection connection) => _connection = connection;

    /// <inheritdoc/>
    public long Bytes => 0;

    private static IndexError ReadOnly => new("a view of an index takes no changes");

    /// <summary>Takes the view now.</summary>
    public static Result<IIndexStore, IndexError> Open(string path)
    {
        if (!SqliteConnection.Open(path).TryGet(out SqliteConnection? connection, out IndexError error))
        {
            return error;
        }

        if (connection.StandStill().TryGet(out _, out error))
        {
            return new SqliteIndexView(connection);
        }

        connection.Dispose();
        return error;
    }

    /// <inheritdoc/>
    public Result<byte[]?, IndexError> Get(ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            return _connection.Get(key);
        }
    }

    /// <inheritdoc/>
    public Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> Scan(
        ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, int limit)
    {
        lock (_gate)
        {
            return _connection.Scan(from, to, limit);
        }
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Apply(IEnumerable<IndexChange> changes) => ReadOnly;

    /// <inheritdoc/>
    public Result<Unit, IndexError> Clear() => ReadOnly;

    /// <inheritdoc/>
    public Result<IIndexStore, IndexError> View() => ReadOnly;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _connection.Dispose();
        }
    }
}
