using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Home;
using Cairn.Storage.Journaling;
using Cairn.Storage.Logs;
using Cairn.Storage.Packs;

namespace Cairn.Storage.Tests.Crashes;

/// <summary>A scripted life of a node's storage that knows, at any moment, what must still be there after the power fails.</summary>
/// <remarks>Stops at the first operation the disk refuses. The same seed does the same operations.</remarks>
internal sealed class StoreWorkload(SimulatedDisk disk, ulong seed, bool mostlyChunks = false)
{
    public static readonly JournalOptions JournalOptions =
        new() { SegmentBytes = 64 << 10, SegmentsMax = 10, SegmentsKept = 4, SegmentsReady = 1 };

    public static readonly ChunkStoreOptions StoreOptions = new() { SpaceBytes = 48L << 20 };

    public static readonly VolumeId Volume = new(new byte[16]);

    public static readonly LogId Log = new(new NodeId(new byte[32]), 1);

    private readonly Prng _prng = new(seed);
    private readonly SortedDictionary<int, JournalPosition> _held = [];
    private readonly SortedDictionary<int, (RecordKey Key, ChunkUse Use)> _records = [];
    private int _lastChunk;
    private Journal _journal = null!;
    private ChunkStore _store = null!;
    private LogStore _logs = null!;

    /// <summary>Records acknowledged by the journal and not released.</summary>
    public SortedSet<int> Acknowledged { get; } = [];

    /// <summary>Of them, those committed.</summary>
    public SortedSet<int> Committed { get; } = [];

    /// <summary>Every id ever appended.</summary>
    public int LastId { get; private set; }

    /// <summary>Chunks committed and not removed since, by number.</summary>
    public SortedDictionary<int, (RecordKey Key, ChunkUse Use)> CommittedChunks { get; private set; } = [];

    /// <summary>Chunks acknowledged and not removed since, by number.</summary>
    public SortedDictionary<int, (RecordKey Key, ChunkUse Use)> AcknowledgedChunks => _records;

    /// <summary>Packs that maintenance freed.</summary>
    public int Compactions { get; private set; }

    /// <summary>Blocks acknowledged and committed.</summary>
    public int AcknowledgedBlocks { get; private set; }

    public int CommittedBlocks { get; private set; }

    /// <summary>The last block that was to be dropped, and the last that was.</summary>
    public int LastToDrop { get; private set; }

    public int Dropped { get; private set; }

    public void Run(int steps)
    {
        if (!HomeLayout.Open(disk).IsOk)
        {
            return;
        }

        Result<Journal, StoreError> journal = Journal.Open(disk, JournalOptions);
        if (!journal.IsOk || !journal.Value.Replay((_, _, _, _) => true).IsOk)
        {
            return;
        }

        Result<ChunkStore, StoreError> store = ChunkStore.Open(disk, StoreOptions);
        Result<LogStore, StoreError> logs = LogStore.Open(disk);
        if (!store.IsOk || !logs.IsOk)
        {
            return;
        }

        (_journal, _store, _logs) = (journal.Value, store.Value, logs.Value);
        for (int step = 0; step < steps && !disk.Faults.IsDead; step++)
        {
            Step();
        }

        if (!disk.Faults.IsDead)
        {
            _store.Dispose();
            _journal.Dispose();
            _logs.Dispose();
        }
    }

    public static byte[] Payload(int id, int length)
    {
        byte[] bytes = new byte[length];
        new Prng((ulong)id).Fill(bytes);
        return bytes;
    }

    private void Step()
    {
        if (mostlyChunks)
        {
            StepChunks();
            return;
        }

        switch (_prng.Next(12))
        {
            case < 5:
                AppendRecord();
                break;
            case 5:
                ReleaseSome();
                break;
            case 6 or 7:
                PutChunk();
                break;
            case 8:
                ChangeChunk();
                break;
            case 9:
                AppendBlock();
                if (_prng.Chance(3))
                {
                    DropBlocks();
                }

                break;
            case 10:
                CommitAll();
                break;
            default:
                _ = _prng.Chance(3) ? _store.SaveIndex().IsOk : _store.Maintain() > 0;
                break;
        }
    }

    /// <summary>Large records that come and go, so that packs fill, the cache yields and compaction runs.</summary>
    private void StepChunks()
    {
        PutChunk(bytesMin: 1_500_000);
        if (_records.Count > 8)
        {
            RemoveChunk(_records.Keys.First());
        }

        if (_records.Count > 0 && _prng.Chance(3))
        {
            RemoveChunk(_records.Keys.ElementAt(_prng.Next(_records.Count)));
        }

        if (_prng.Chance(4))
        {
            CommitAll();
        }

        if (_prng.Chance(6))
        {
            Compactions += _store.Maintain();
        }
    }

    private void RemoveChunk(int number)
    {
        RecordKey key = _records[number].Key;
        CommittedChunks.Remove(number);
        _records.Remove(number);
        _ = _store.Remove(key);
    }

    private void AppendRecord()
    {
        int id = ++LastId;
        byte[] head = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(head, id);
        Result<JournalPosition, StoreError> appended =
            _journal.Append(JournalKind.Operation, head, Payload(id, _prng.Next(9000)));
        if (appended.IsOk)
        {
            Acknowledged.Add(id);
            _held[id] = appended.Value;
        }
    }

    private void ReleaseSome()
    {
        foreach (int id in _held.Keys.Take(_held.Count / 2).ToArray())
        {
            Acknowledged.Remove(id);
            Committed.Remove(id);
            _journal.Release(_held[id]);
            _held.Remove(id);
        }
    }

    private void PutChunk(int bytesMin = 200_000)
    {
        int number = ++_lastChunk;
        byte[] bytes = Payload(1000 + number, bytesMin + _prng.Next(900_000));
        RecordKey key = RecordKey.Copy(new ChunkAddress(SHA256.HashData(bytes)));
        ChunkUse use = (ChunkUse)(2 + _prng.Next(2));
        if (mostlyChunks && _prng.Chance(3))
        {
            // Cached: may be given up at any time, so nothing is promised about it.
            _ = _store.Put(key, bytes, ChunkUse.Cached);
        }
        else if (_store.Put(key, bytes, use).IsOk)
        {
            _records[number] = (key, use);
        }
    }

    private void ChangeChunk()
    {
        if (_records.Count == 0)
        {
            return;
        }

        int number = _records.Keys.ElementAt(_prng.Next(_records.Count));
        RecordKey key = _records[number].Key;
        if (_prng.Chance(2))
        {
            RemoveChunk(number);
        }
        else if (_store.SetUse(key, ChunkUse.Replicated).IsOk)
        {
            _records[number] = (key, ChunkUse.Replicated);
        }
    }

    private void AppendBlock()
    {
        int seq = AcknowledgedBlocks + 1;
        if (_logs.Append(Volume, Log, (ulong)seq, Payload(seq, 100 + (seq * 37))).IsOk)
        {
            AcknowledgedBlocks = seq;
        }
    }

    /// <summary>What is here behind a beginning is committed by it.</summary>
    private void DropBlocks()
    {
        LastToDrop = Math.Max(LastToDrop, _prng.Next(AcknowledgedBlocks + 1));
        if (LastToDrop > Dropped && _logs.BeginAt(Volume, Log, Behind(LastToDrop)).IsOk)
        {
            (Dropped, CommittedBlocks) = (LastToDrop, AcknowledgedBlocks);
        }
    }

    public static LogBeginning Behind(int seq) =>
        new((ulong)seq, new BlockHash(Payload(seq, BlockHash.Size)), (ulong)seq * 3, 1000);

    private void CommitAll()
    {
        if (_journal.Commit().IsOk)
        {
            Committed.UnionWith(Acknowledged);
        }

        if (_store.Commit().IsOk)
        {
            CommittedChunks = new SortedDictionary<int, (RecordKey Key, ChunkUse Use)>(_records);
        }

        if (_logs.Commit().IsOk)
        {
            CommittedBlocks = AcknowledgedBlocks;
        }
    }
}
