using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using SQLitePCL;

namespace Cairn.Io.Index;

/// <summary>One connection to the index file with its prepared statements. One thread at a time.</summary>
internal sealed class SqliteConnection : IDisposable
{
    // synchronous=NORMAL: a power cut may take the last transactions whole, never a part of one. Indexes are rebuildable
    // and record how far they are, so that is enough, and no transaction waits for the disk.
    // A file keeps the size of page that it was made with.
    private const string Setup =
        "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000;"
        + "PRAGMA cache_size=-8192; PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=33554432;"
        + "PRAGMA temp_store=MEMORY;"
        + "CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY NOT NULL, v BLOB NOT NULL) WITHOUT ROWID;"
        + "CREATE TABLE IF NOT EXISTS large(id INTEGER PRIMARY KEY, v BLOB NOT NULL);";

    // A row of kv is a key of its tree, value and all. One that does not fit into a page is read to its end whenever the
    // tree compares another key with it, so such a value lies in a table of its own, under a number that stands for it.
    private const string Value = "CASE typeof(v) WHEN 'integer' THEN (SELECT v FROM large WHERE id=kv.v) ELSE v END";

    /// <summary>A longer row might not stay in its page, in the files of 4 KiB pages of earlier programs either.</summary>
    private const int RowBytesMax = 960;

    private const int KeyBytesMax = 1024;

    private readonly sqlite3 _database;
    private readonly string _path;
    private readonly List<sqlite3_stmt> _statements = [];
    private readonly sqlite3_stmt _get;
    private readonly sqlite3_stmt _scan;
    private readonly sqlite3_stmt _scanToEnd;
    private readonly sqlite3_stmt _put;
    private readonly sqlite3_stmt _putLarge;
    private readonly sqlite3_stmt _delete;
    private readonly sqlite3_stmt _deleteLarge;
    private readonly sqlite3_stmt _begin;
    private readonly sqlite3_stmt _commit;
    private readonly sqlite3_stmt _rollback;
    private IndexError? _unprepared;

    private SqliteConnection(sqlite3 database, string path)
    {
        _database = database;
        _path = path;
        _get = Prepare($"SELECT {Value} FROM kv WHERE k=?1");
        _scan = Prepare($"SELECT k,{Value} FROM kv WHERE k>=?1 AND k<?2 ORDER BY k LIMIT ?3");
        _scanToEnd = Prepare($"SELECT k,{Value} FROM kv WHERE k>=?1 ORDER BY k LIMIT ?3");
        _put = Prepare(
            "INSERT INTO kv VALUES(?1,?2) ON CONFLICT DO UPDATE SET v=excluded.v WHERE typeof(kv.v)='blob'");
        _putLarge = Prepare("INSERT INTO large(v) VALUES(?1)");
        _delete = Prepare("DELETE FROM kv WHERE k=?1");
        _deleteLarge = Prepare("DELETE FROM large WHERE id=(SELECT v FROM kv WHERE k=?1)");
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
    }

    internal static Result<SqliteConnection, IndexError> Open(string path)
    {
        const int flags = raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX;
        int code = raw.sqlite3_open_v2(path, out sqlite3 database, flags, null);
        if (code == raw.SQLITE_OK)
        {
            code = raw.sqlite3_exec(database, Setup);
        }

        if (code == raw.SQLITE_OK)
        {
            var connection = new SqliteConnection(database, path);
            if (connection._unprepared is not { } refused)
            {
                return connection;
            }

            connection.Dispose();
            return refused;
        }

        IndexError error = ErrorOf(database, path, code);
        database.Dispose();
        return error;
    }

    /// <summary>From now on it reads what is there now.</summary>
    internal Result<Unit, IndexError> StandStill()
    {
        Result<Unit, IndexError> begun = Run(Prepare("BEGIN"));
        if (!begun.IsOk)
        {
            return begun;
        }

        // Only the first read takes the view.
        Result<byte[]?, IndexError> read = Get([]);
        return read.IsOk ? Unit.Value : read.Error;
    }

    /// <summary>Walks the whole tree of pages; reads the file once.</summary>
    internal Result<Unit, IndexError> Check()
    {
        sqlite3_stmt check = Prepare("PRAGMA quick_check(1)");
        int code = raw.sqlite3_step(check);
        if (code != raw.SQLITE_ROW)
        {
            return Error(code);
        }

        string found = raw.sqlite3_column_text(check, 0).utf8_to_string();
        raw.sqlite3_reset(check);
        return found == "ok" ? Unit.Value : new IndexError($"{_path}: SQLite error: {found}");
    }

    internal Result<byte[]?, IndexError> Get(ReadOnlySpan<byte> key)
    {
        Bind(_get, 1, key);
        int code = raw.sqlite3_step(_get);
        byte[]? value = code == raw.SQLITE_ROW ? raw.sqlite3_column_blob(_get, 0).ToArray() : null;
        Result<byte[]?, IndexError> result =
            code is raw.SQLITE_ROW or raw.SQLITE_DONE ? Result<byte[]?, IndexError>.Ok(value) : Error(code);
        raw.sqlite3_reset(_get);
        return result;
    }

    internal Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> Scan(
        ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, int limit)
    {
        sqlite3_stmt statement = to.IsEmpty ? _scanToEnd : _scan;
        Bind(statement, 1, from);
        if (!to.IsEmpty)
        {
            Bind(statement, 2, to);
        }

        raw.sqlite3_bind_int(statement, 3, limit);
        var rows = new List<KeyValuePair<byte[], byte[]>>(Math.Min(limit, 256));
        int code;
        while ((code = raw.sqlite3_step(statement)) == raw.SQLITE_ROW)
        {
            byte[] key = raw.sqlite3_column_blob(statement, 0).ToArray();
            rows.Add(new KeyValuePair<byte[], byte[]>(key, raw.sqlite3_column_blob(statement, 1).ToArray()));
        }

        Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> result =
            code == raw.SQLITE_DONE ? rows : Error(code);
        raw.sqlite3_reset(statement);
        return result;
    }

    internal Result<Unit, IndexError> Apply(IEnumerable<IndexChange> changes)
    {
        if (!Run(_begin).TryGet(out _, out IndexError error))
        {
            return error;
        }

        foreach (IndexChange change in changes)
        {
            Invariant.That(change.Key.Length <= KeyBytesMax, $"an index key of {change.Key.Length} bytes");
            Result<Unit, IndexError> applied =
                change.Value is { } value ? Put(change.Key.Span, value.Span) : Delete(change.Key.Span);
            if (!applied.TryGet(out _, out error))
            {
                _ = Run(_rollback);
                return error;
            }
        }

        Result<Unit, IndexError> done = Run(_commit);
        if (!done.IsOk)
        {
            _ = Run(_rollback);
        }

        return done;
    }

    private Result<Unit, IndexError> Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Bind(_put, 1, key);
        if (key.Length + value.Length <= RowBytesMax)
        {
            Bind(_put, 2, value);
        }
        else
        {
            Bind(_putLarge, 1, value);
            if (!Run(_putLarge).TryGet(out _, out IndexError error))
            {
                return error;
            }

            raw.sqlite3_bind_int64(_put, 2, raw.sqlite3_last_insert_rowid(_database));
        }

        Result<Unit, IndexError> put = Run(_put);
        if (!put.IsOk || raw.sqlite3_changes(_database) > 0)
        {
            return put;
        }

        // The key has a large value: that one goes first.
        put = Delete(key);
        return put.IsOk ? Run(_put) : put;
    }

    private Result<Unit, IndexError> Delete(ReadOnlySpan<byte> key)
    {
        Bind(_deleteLarge, 1, key);
        Bind(_delete, 1, key);
        Result<Unit, IndexError> done = Run(_deleteLarge);
        return done.IsOk ? Run(_delete) : done;
    }

    public void Dispose()
    {
        foreach (sqlite3_stmt statement in _statements)
        {
            statement.Dispose();
        }

        _database.Dispose();
    }

    // A zero-length blob would be bound as NULL.
    private static void Bind(sqlite3_stmt statement, int index, ReadOnlySpan<byte> bytes)
    {
        int code = bytes.IsEmpty
            ? raw.sqlite3_bind_zeroblob(statement, index, 0)
            : raw.sqlite3_bind_blob(statement, index, bytes);
        Invariant.That(code == raw.SQLITE_OK, $"SQLite refused a parameter of {bytes.Length} bytes: {code}");
    }

    private Result<Unit, IndexError> Run(sqlite3_stmt statement)
    {
        int code = raw.sqlite3_step(statement);
        Result<Unit, IndexError> result = code == raw.SQLITE_DONE ? Unit.Value : Error(code);
        raw.sqlite3_reset(statement);
        return result;
    }

    private sqlite3_stmt Prepare(string sql)
    {
        int code = raw.sqlite3_prepare_v3(_database, sql, raw.SQLITE_PREPARE_PERSISTENT, out sqlite3_stmt statement);
        if (code != raw.SQLITE_OK)
        {
            // Not our table, or a damaged schema.
            _unprepared ??= Error(code);
        }

        _statements.Add(statement);
        return statement;
    }

    /// <summary>Extended result codes have the cause in the higher bytes.</summary>
    private const int PrimaryCode = 0xFF;

    private IndexError Error(int code) => ErrorOf(_database, _path, code);

    private static IndexError ErrorOf(sqlite3 database, string path, int code) =>
        new(
            $"{path}: {raw.sqlite3_errmsg(database).utf8_to_string()}, SQLite error {code}",
            IsDiskFull: (code & PrimaryCode) == raw.SQLITE_FULL);
}
