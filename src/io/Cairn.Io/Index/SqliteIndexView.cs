using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Index;

/// <summary>An index file as it was at a moment: a read transaction, while others write.</summary>
internal sealed class SqliteIndexView : IIndexStore
{
    private readonly Lock _gate = new();
    private readonly SqliteConnection _connection;
    private readonly Action<IndexError> _failed;

    private SqliteIndexView(SqliteConnection connection, Action<IndexError> failed) =>
        (_connection, _failed) = (connection, failed);

    /// <inheritdoc/>
    public long Bytes => 0;

    private static IndexError ReadOnly => new("a view of an index takes no changes");

    /// <summary>Takes the view now.</summary>
    /// <param name="path">The index.</param>
    /// <param name="failed">Told what cannot be read.</param>
    public static Result<IIndexStore, IndexError> Open(string path, Action<IndexError> failed)
    {
        if (!SqliteConnection.Open(path).TryGet(out SqliteConnection? connection, out IndexError error))
        {
            return error;
        }

        if (connection.StandStill().TryGet(out _, out error))
        {
            return new SqliteIndexView(connection, failed);
        }

        connection.Dispose();
        return error;
    }

    /// <inheritdoc/>
    public Result<byte[]?, IndexError> Get(ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            return Told(_connection.Get(key));
        }
    }

    /// <inheritdoc/>
    public Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> Scan(
        ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, int limit)
    {
        lock (_gate)
        {
            return Told(_connection.Scan(from, to, limit));
        }
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Apply(IEnumerable<IndexChange> changes) => ReadOnly;

    /// <inheritdoc/>
    public Result<Unit, IndexError> Sync() => ReadOnly;

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
    private Result<T, IndexError> Told<T>(Result<T, IndexError> result)
    {
        if (!result.IsOk)
        {
            _failed(result.Error);
        }

        return result;
    }
}
