using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Logs;

/// <summary>Drops the oldest blocks of a log, and gives their space back.</summary>
/// <remarks>
/// What is kept is written into a new file, which is synced and then takes the name of the old one: a crash at any point
/// leaves the one or the other. It is given back everywhere, and a file never has a hole that a scan must tell from damage.
/// </remarks>
public sealed partial class LogStore
{
    private const string UnfinishedEnding = ".log.new";

    private readonly Lock _dropping = new();

    /// <summary>Where a log begins.</summary>
    public LogBeginning Beginning(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            return _files.TryGetValue((volume, log), out LogFile? file) ? file.Beginning : default;
        }
    }

    /// <summary>Bytes the logs of a volume take.</summary>
    public long BytesOf(VolumeId volume)
    {
        lock (_gate)
        {
            return _files.Where(file => file.Key.Volume == volume).Sum(static file => file.Value.End);
        }
    }

    /// <summary>A log begins here from now on: blocks before are dropped, and not taken any more.</summary>
    /// <remarks>
    /// There may be less of the log here than that, or nothing. A log that begins there or later already is left as it is.
    /// Blocks for as long as it takes to copy what is kept; other calls go on meanwhile. It survives power loss when it
    /// returns. A log that lacks kept blocks to damage, or may, is refused: it is mended first.
    /// </remarks>
    /// <returns>The bytes that were given back.</returns>
    public Result<long, StoreError> BeginAt(VolumeId volume, LogId log, LogBeginning beginning)
    {
        Invariant.That(beginning.IsPossible, $"{log} cannot begin behind {beginning}");
        lock (_dropping)
        {
            LogFile? old;
            lock (_gate)
            {
                _ = _files.TryGetValue((volume, log), out old);
                if (_failure is { } failure)
                {
                    return failure;
                }

                if (beginning.BlockSeq <= (old?.Beginning.BlockSeq ?? 0))
                {
                    return 0L;
                }

                if (old is not null && IsIncomplete(old, beginning))
                {
                    return new StoreError(
                        StoreErrorKind.Corrupt, PathOf(volume, log), "damaged: nothing is dropped before it is mended");
                }
            }

            Result<Unit, StoreError> raised = HomeLayout.Raise(_disk, HomeLayout.VersionOfBeginnings);
            if (!raised.IsOk)
            {
                return raised.Error;
            }

            string path = PathOf(volume, log) + ".new";
            Result<long, StoreError> replaced = Replace(volume, log, old, beginning, path);
            if (!replaced.IsOk)
            {
                _ = _disk.Delete(path);
            }

            return replaced;
        }
    }

    private static bool IsIncomplete(LogFile old, in LogBeginning beginning)
    {
        ulong last = beginning.BlockSeq;
        return old.LastSeq > last && (old.HasLostEnd || old.Missing.Any(seq => seq > last));
    }

    private Result<long, StoreError> Replace(
        VolumeId volume, LogId log, LogFile? old, LogBeginning beginning, string path)
    {
        if (!_disk.Open(path, DiskOpenMode.OpenOrCreate).TryGet(out IDiskFile? opened, out DiskError error))
        {
            return StoreError.From(error);
        }

        // One that was left over may be longer.
        LogFile kept = new(volume, log, opened, PathOf(volume, log));
        Result<Unit, DiskError> created = opened.SetLength(0);
        created = created.IsOk ? kept.Create(beginning) : created;
        Result<Unit, StoreError> copied = created.IsOk ? Copy(old, kept) : StoreError.From(created.Error);
        if (!copied.IsOk)
        {
            opened.Dispose();
            return copied.Error;
        }

        lock (_syncing)
        {
            lock (_gate)
            {
                return TakePlace(volume, log, old, kept, path);
            }
        }
    }

    /// <summary>Copies what came meanwhile, which is little, syncs, and gives the new file the name of the old one.</summary>
    private Result<long, StoreError> TakePlace(
        VolumeId volume, LogId log, LogFile? old, LogFile kept, string path)
    {
        Result<Unit, StoreError> copied = _disposed || !ReferenceEquals(_files.GetValueOrDefault((volume, log)), old)
            ? new StoreError(StoreErrorKind.NotFound, path, "the log is not here any more, or came meanwhile")
            : Copy(old, kept);
        Result<Unit, DiskError> named = copied.IsOk ? kept.Finish(LostBehind(old)) : Unit.Value;
        named = copied.IsOk && named.IsOk ? _disk.Rename(path, PathOf(volume, log)) : named;
        if (!copied.IsOk || !named.IsOk)
        {
            kept.File.Dispose();
            return copied.IsOk ? StoreError.From(named.Error) : copied.Error;
        }

        old?.File.Dispose();
        Place(kept);
        _roster.Add(volume, log);
        named = _disk.SyncDirectory(_folder);
        if (!named.IsOk)
        {
            _failure ??= StoreError.From(named.Error);
            return StoreError.From(named.Error);
        }

        return Math.Max(0, (old?.End ?? 0) - kept.End);
    }

    /// <summary>Copies what the new file lacks, each block checked.</summary>
    private Result<Unit, StoreError> Copy(LogFile? old, LogFile kept)
    {
        while (true)
        {
            ulong seq = kept.LastSeq + 1;
            byte[] block;
            lock (_gate)
            {
                if (old is null || seq > old.LastSeq)
                {
                    return Unit.Value;
                }

                if (_disposed || !old.Has(seq))
                {
                    return new StoreError(StoreErrorKind.NotFound, kept.File.Path, $"no block {seq}");
                }

                Result<byte[], StoreError> read = ReadOrForget(old, seq);
                if (!read.IsOk)
                {
                    return read.Error;
                }

                block = read.Value;
            }

            Result<Unit, DiskError> written = kept.Append(seq, block);
            if (!written.IsOk)
            {
                return StoreError.From(written.Error);
            }
        }
    }

    /// <summary>What is known to be missing behind the end of a file stays known.</summary>
    private static long LostBehind(LogFile? old) =>
        old is { HasLostEnd: true } ? Math.Max(LogFormat.Alignment, old.DurableBytes - old.End) : 0;

    /// <summary>A crash left a file that was to replace another.</summary>
    private void DeleteUnfinished(string name)
    {
        if (name.EndsWith(UnfinishedEnding, StringComparison.Ordinal))
        {
            _ = _disk.Delete($"{_folder}/{name}");
        }
    }
}
