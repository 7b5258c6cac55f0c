using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Node.Ports;
using Cairn.Storage.Ports;
using Microsoft.Win32.SafeHandles;
using SQLitePCL;

namespace Cairn.Io.Index;

/// <summary>An index in one SQLite file: a write-ahead log, one table, prepared statements.</summary>
/// <remarks>
/// Two connections, each behind its own lock: readers see the last whole <see cref="Apply"/> and never wait for one that
/// runs. Any damage shows as an <see cref="IndexError"/>; the owner calls <see cref="Clear"/> and rebuilds. Opening a
/// damaged file succeeds, and its calls fail, so that the owner has something to call <see cref="Clear"/> on. A tree of
/// pages that is damaged could also miss rows without an error, so it is walked at opening, unless the last run closed it
/// in order (<see cref="CleanMark"/>) and met nothing wrong.
/// </remarks>
public sealed class SqliteIndexStore : IIndexStore
{
    private const int ReadThroughBytes = 1 << 20;
    private static readonly string[] Suffixes = ["", "-wal", "-shm", "-journal"];

    private readonly string _path;
    private readonly object _writing = new();
    private readonly object _reading = new();
    private readonly CleanMark _clean;
    private Result<SqliteConnection, IndexError> _writer;
    private Result<SqliteConnection, IndexError> _reader;
    private bool _disposed;
    private volatile bool _isDoubtful;

    static SqliteIndexStore() => Batteries_V2.Init();

    /// <summary>Opens a file, making it if absent.</summary>
    /// <param name="path">The database; its write-ahead log lies beside it.</param>
    public SqliteIndexStore(string path)
    {
        _path = path;
        _clean = new CleanMark(path);
        (_writer, _reader) = OpenBoth();
    }

    /// <inheritdoc/>
    public long Bytes =>
        Suffixes.Select(suffix => new FileInfo(_path + suffix)).Sum(file => file.Exists ? file.Length : 0);

    /// <inheritdoc/>
    public Result<byte[]?, IndexError> Get(ReadOnlySpan<byte> key)
    {
        lock (_reading)
        {
            return _reader.TryGet(out SqliteConnection? reader, out IndexError error) ? Noted(reader.Get(key)) : error;
        }
    }

    /// <inheritdoc/>
    public Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> Scan(
        ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, int limit)
    {
        lock (_reading)
        {
            return _reader.TryGet(out SqliteConnection? reader, out IndexError error)
                ? Noted(reader.Scan(from, to, limit))
                : error;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Apply(IEnumerable<IndexChange> changes)
    {
        lock (_writing)
        {
            if (!_writer.TryGet(out SqliteConnection? writer, out IndexError error))
            {
                return error;
            }

            Result<Unit, IndexError> unmarked = _clean.Remove();
            return unmarked.IsOk ? Noted(writer.Apply(changes)) : unmarked;
        }
    }

    /// <inheritdoc/>
    /// <remarks>What is in the file itself was synced when it came there: only the write-ahead log may be behind.</remarks>
    public Result<Unit, IndexError> Sync()
    {
        lock (_writing)
        {
            if (!_writer.TryGet(out _, out IndexError error))
            {
                return error;
            }

            try
            {
                if (File.Exists(_path + "-wal"))
                {
                    using SafeFileHandle log = File.OpenHandle(
                        _path + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
                    RandomAccess.FlushToDisk(log);
                }
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
            {
                return new IndexError($"{_path}-wal: {failed.Message}");
            }

            Result<RealDisk, DiskError> folder = RealDisk.OpenRoot(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            Result<Unit, DiskError> synced = folder.IsOk ? folder.Value.SyncDirectory(string.Empty) : folder.Error;
            return synced.IsOk ? Unit.Value : new IndexError($"{_path}: {synced.Error.Detail}");
        }
    }

    /// <inheritdoc/>
    public Result<IIndexStore, IndexError> View() => SqliteIndexView.Open(_path, error => Noted<Unit>(error));

    /// <inheritdoc/>
    public Result<Unit, IndexError> Clear()
    {
        lock (_writing)
        {
            lock (_reading)
            {
                Invariant.That(!_disposed, "a disposed index");
                if (!_clean.Remove().TryGet(out _, out IndexError marked))
                {
                    return marked;
                }

                Close();
                foreach (string suffix in Suffixes)
                {
                    try
                    {
                        File.Delete(_path + suffix);
                    }
                    catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
                    {
                        return new IndexError($"{_path}{suffix}: {failed.Message}");
                    }
                }

                _isDoubtful = false;
                (_writer, _reader) = OpenBoth();
                return _writer.IsOk ? Unit.Value : _writer.Error;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_writing)
        {
            lock (_reading)
            {
                bool isWhole = !_disposed && !_isDoubtful && _writer.IsOk && _reader.IsOk;
                Close();
                _disposed = true;
                if (isWhole)
                {
                    _clean.Write();
                }
            }
        }
    }

    private (Result<SqliteConnection, IndexError> Writer, Result<SqliteConnection, IndexError> Reader) OpenBoth()
    {
        bool isTrusted = _clean.IsTrusted();
        if (!isTrusted)
        {
            ReadThrough(_path);
        }

        Result<SqliteConnection, IndexError> writer = SqliteConnection.Open(_path);
        if (writer.IsOk && !isTrusted)
        {
            if (writer.Value.Check().TryGet(out _, out IndexError damage))
            {
                _clean.NoteChecked();
            }
            else
            {
                writer.Value.Dispose();
                writer = damage;
            }
        }

        return (writer, writer.IsOk ? SqliteConnection.Open(_path) : writer);
    }

    /// <summary>What goes wrong makes the next start walk over the pages; only a full disk is no sign of damage.</summary>
    private Result<T, IndexError> Noted<T>(Result<T, IndexError> result)
    {
        if (!result.IsOk && !result.Error.IsDiskFull)
        {
            _isDoubtful = true;
            _ = _clean.Remove();
        }

        return result;
    }

    /// <summary>Brings the file into the system's cache: the walk over its pages would read them one by one, all over it.</summary>
    private static void ReadThrough(string path)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(path, options: FileOptions.SequentialScan);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadThroughBytes);
            long at = 0;
            while (RandomAccess.Read(file, buffer, at) is > 0 and int read)
            {
                at += read;
            }

            ArrayPool<byte>.Shared.Return(buffer);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            // Not there yet, or unreadable: opening it says so.
        }
    }

    private void Close()
    {
        var closed = new IndexError("the index is closed");
        if (_reader.IsOk)
        {
            _reader.Value.Dispose();
        }

        if (_writer.IsOk)
        {
            _writer.Value.Dispose();
        }

        (_writer, _reader) = (closed, closed);
    }
}
