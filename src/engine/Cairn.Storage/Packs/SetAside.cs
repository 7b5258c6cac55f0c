using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>Records that cannot be read or are wrong: not in the index, but left on the disk until good bytes come.</summary>
/// <remarks>
/// Nobody is told that they are here, so a good copy is fetched from elsewhere, and takes their place. There may be none: a
/// device that failed for a moment gives them back (<see cref="TryAgain()"/>). Which they are is kept in a file, so
/// that a start does not answer for them either. Invariant: a pack that holds one is neither wiped nor in a snapshot.
/// Threads: any; what says so is called under the gate.
/// </remarks>
public sealed class SetAside
{
    private const int KeyBytes = 1 + ChunkAddress.Size;
    private const int FileBytesMax = 16 << 20;

    // Of more, a disk that fails altogether, the file is written now and then: it is written whole each time.
    private const int SavedAtOnceMax = 64;

    private readonly Dictionary<RecordKey, Place> _records = [];
    private readonly object _gate;
    private readonly Lock _saving = new();
    private readonly IDisk _disk;
    private readonly string _path;
    private readonly PackFiles _files;
    private readonly RecordIndex _index;
    private readonly PackAllocator _allocator;
    private bool _isSaved = true;

    internal SetAside(
        object gate, IDisk disk, string folder, PackFiles files, RecordIndex index, PackAllocator allocator)
    {
        (_gate, _disk, _files, _index, _allocator) = (gate, disk, files, index, allocator);
        _path = folder + "/set-aside";
    }

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _records.Count;
            }
        }
    }

    /// <summary>Which there are, in the order of their keys.</summary>
    public IReadOnlyList<StoredRecord> Records
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _records.OrderBy(pair => pair.Key)
                        .Select(pair => new StoredRecord(pair.Key, pair.Value.Length, pair.Value.Use)),
                ];
            }
        }
    }

    /// <summary>After the index was filled: what was set aside is so again.</summary>
    internal void Load()
    {
        if (!SmallFile.Read(_disk, _path, FileBytesMax).TryGet(out byte[]? bytes, out _) || bytes is null)
        {
            return;
        }

        WireReader reader = new(bytes);
        for (int left = reader.Count(KeyBytes); left > 0 && !reader.Failed; left--)
        {
            bool isPrivate = reader.Byte() == (byte)RecordKind.Private;
            ChunkAddress address = new(reader.Bytes32());
            Take(isPrivate ? RecordKey.Private(address) : RecordKey.Copy(address), isKept: true);
        }
    }

    /// <summary>Takes a record out of the index; false if it is of the cache, or not there.</summary>
    internal bool Take(RecordKey key, bool isKept = false)
    {
        lock (_gate)
        {
            int at = key.Kind is RecordKind.Copy or RecordKind.Private ? _index.Table.Find(key) : -1;
            if (at < 0 || _index.Table[at].Use == ChunkUse.Cached || _records.ContainsKey(key))
            {
                return false;
            }

            RecordEntry entry = _index.Table[at];
            Pack pack = _files.Packs[entry.Pack]!;
            _index.Remove(at, pack);
            pack.LiveBytes += entry.RecordBytes;
            pack.AsideBytes += entry.RecordBytes;
            _records.Add(key, new Place(pack, (int)entry.Offset, entry.Length, entry.Use));
            _isSaved = isKept;
            if (_records.Count > SavedAtOnceMax)
            {
                return true;
            }
        }

        Save();
        return true;
    }

    /// <summary>The use that a good copy gets: no weaker than that of the bad one. Any thread.</summary>
    internal ChunkUse UseFor(RecordKey key, ChunkUse use)
    {
        lock (_gate)
        {
            return _records.TryGetValue(key, out Place? place) && place.Use > use ? place.Use : use;
        }
    }

    /// <summary>A record is needed no more, or a good copy is in the index: null if none is set aside. Under the gate.</summary>
    internal Result<Unit, StoreError>? Drop(RecordKey key)
    {
        if (!_records.TryGetValue(key, out Place? place))
        {
            return null;
        }

        Result<Unit, DiskError> done = _allocator.NoteChange(place.Pack);
        done = done.IsOk ? place.Pack.MarkDead(place.Offset) : done;
        if (!done.IsOk)
        {
            return StoreError.From(done.Error);
        }

        Forget(key, place);
        return Unit.Value;
    }

    /// <summary>Reads all of them again; whatever is as its address says is back.</summary>
    /// <returns>How many came back. Blocks; meant for a background worker.</returns>
    public int TryAgain()
    {
        RecordKey[] keys;
        lock (_gate)
        {
            keys = [.. _records.Keys.Order()];
        }

        int back = keys.Count(TryAgain);
        Save();
        return back;
    }

    /// <summary>Reads one again; whether it is back.</summary>
    public bool TryAgain(RecordKey key)
    {
        Place? place;
        lock (_gate)
        {
            if (!_records.TryGetValue(key, out place))
            {
                return false;
            }

            place.Pack.BeginRead();
        }

        bool isGood = IsGood(key, place);
        place.Pack.EndRead();
        lock (_gate)
        {
            bool isStill = isGood && _records.TryGetValue(key, out Place? now) && ReferenceEquals(now, place)
                && _index.Table.Find(key) < 0;
            if (isStill)
            {
                Forget(key, place);
                _index.Add(key, place.Use, place.Pack, place.Offset, place.Length);
            }

            return isStill;
        }
    }

    private static bool IsGood(RecordKey key, Place place)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(place.Length, 1));
        Span<byte> stored = buffer.AsSpan(0, place.Length);
        bool isGood = place.Pack.File.ReadPatiently(place.Offset + PackFormat.HeaderBytes, stored).IsOk
            && ChunkStore.AddressOf(stored) == key.Address;
        ArrayPool<byte>.Shared.Return(buffer);
        return isGood;
    }

    private void Forget(RecordKey key, Place place)
    {
        _records.Remove(key);
        int bytes = PackFormat.RecordBytes(place.Length);
        place.Pack.LiveBytes -= bytes;
        place.Pack.AsideBytes -= bytes;
        _isSaved = false;
    }

    /// <summary>A disk that takes no file either leaves them to be found again after the next start.</summary>
    internal void Save()
    {
        lock (_saving)
        {
            ArrayBufferWriter<byte> output = new(256);
            WireWriter writer = new(output);
            lock (_gate)
            {
                if (_isSaved)
                {
                    return;
                }

                _isSaved = true;
                writer.Count(_records.Count);
                foreach (RecordKey key in _records.Keys.Order())
                {
                    writer.Byte((byte)key.Kind);
                    writer.Bytes32(key.Address.Value);
                }
            }

            _ = SmallFile.Write(_disk, _path, output.WrittenSpan);
        }
    }

    private sealed record Place(Pack Pack, int Offset, int Length, ChunkUse Use);
}
