using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Logs;

/// <summary>Which logs this node has files of, kept beside their folder: a file that somebody deletes is missed.</summary>
/// <remarks>
/// A log is listed once its file is durable, and struck out before the file is deleted. One whose file was gone stays
/// marked: how much was in it is never known. A list that is absent or damaged is made anew from the files.
/// Threads: safe from several. Format: docs/formats/logfile.md.
/// </remarks>
internal sealed class LogRoster(IDisk disk, string path)
{
    private const byte Version = 1;
    private const int BytesMax = 64 << 20;

    private readonly Lock _gate = new();
    private readonly Lock _writing = new();
    private readonly SortedDictionary<(VolumeId Volume, LogId Log), bool> _wasGone = [];
    private ulong _version;
    private ulong _written;

    /// <summary>The listed logs, in order.</summary>
    public IReadOnlyList<(VolumeId Volume, LogId Log)> Logs
    {
        get
        {
            lock (_gate)
            {
                return [.. _wasGone.Keys];
            }
        }
    }

    /// <summary>Reads the list.</summary>
    public void Load()
    {
        if (!SmallFile.Read(disk, path, BytesMax).TryGet(out byte[]? bytes, out _) || bytes is null)
        {
            return;
        }

        WireReader reader = new(bytes);
        reader.Require(reader.Byte() == Version);
        int count = reader.Count(VolumeId.Size + NodeId.Size + sizeof(uint) + 1);
        lock (_gate)
        {
            for (int i = 0; i < count && !reader.Failed; i++)
            {
                VolumeId volume = new(reader.Bytes16());
                LogId log = new(new NodeId(reader.Bytes32()), reader.UInt32());
                _wasGone[(volume, log)] = reader.Boolean();
            }

            if (!reader.Complete)
            {
                _wasGone.Clear();
            }
        }
    }

    /// <summary>Whether a log's file was found to be gone, ever.</summary>
    public bool WasGone(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            return _wasGone.GetValueOrDefault((volume, log));
        }
    }

    /// <summary>There is a file of this log now.</summary>
    public void Add(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            _version += _wasGone.TryAdd((volume, log), false) ? 1UL : 0;
        }
    }

    /// <summary>A listed log has no file.</summary>
    public void MarkGone(VolumeId volume, LogId log)
    {
        lock (_gate)
        {
            _wasGone[(volume, log)] = true;
            _version++;
        }
    }

    /// <summary>The files of a volume are about to be deleted.</summary>
    public void Remove(VolumeId volume)
    {
        lock (_gate)
        {
            foreach ((VolumeId Volume, LogId Log) key in _wasGone.Keys.Where(key => key.Volume == volume).ToArray())
            {
                _wasGone.Remove(key);
                _version++;
            }
        }
    }

    /// <summary>Writes the list if something is new. Blocks for a sync; what failed is tried again the next time.</summary>
    public Result<Unit, StoreError> Save() => Write(Changed());

    /// <summary>The list as it is now, if something is new: for who syncs first what it names.</summary>
    public LogListing? Changed()
    {
        lock (_gate)
        {
            if (_version == _written)
            {
                return null;
            }

            ArrayBufferWriter<byte> content = new(256);
            Encode(new WireWriter(content));
            return new LogListing(_version, content.WrittenMemory);
        }
    }

    /// <summary>Writes a list, unless a newer one has been written. Blocks for a sync.</summary>
    public Result<Unit, StoreError> Write(LogListing? list)
    {
        lock (_writing)
        {
            if (list is null || list.Version <= _written)
            {
                return Unit.Value;
            }

            Result<Unit, StoreError> written = SmallFile.Write(disk, path, list.Content.Span);
            if (written.IsOk)
            {
                lock (_gate)
                {
                    _written = list.Version;
                }
            }

            return written;
        }
    }

    private void Encode(WireWriter writer)
    {
        writer.Byte(Version);
        writer.Count(_wasGone.Count);
        foreach (((VolumeId volume, LogId log), bool wasGone) in _wasGone)
        {
            writer.Bytes16(volume.Value);
            writer.Bytes32(log.Author.Value);
            writer.UInt32(log.Incarnation);
            writer.Boolean(wasGone);
        }
    }
}
