using Cairn.Core.Primitives;
using Cairn.Storage.Packs;

namespace Cairn.Storage.Scrub;

/// <summary>A record whose bytes are not those of its address: it is out of the store, and must come from another node.</summary>
/// <param name="Record">Which, and what it was kept for. A staged one may have been the only copy.</param>
/// <param name="Error">What was wrong with it.</param>
public readonly record struct BadRecord(StoredRecord Record, StoreError Error);

/// <summary>What one step of scrubbing did.</summary>
/// <param name="Records">Records that were read.</param>
/// <param name="Bytes">Bytes that were read.</param>
/// <param name="Bad">Records that were bad.</param>
/// <param name="CompletedPass">Whether the last record of the store was reached.</param>
public sealed record ScrubStep(int Records, long Bytes, IReadOnlyList<BadRecord> Bad, bool CompletedPass);

/// <summary>Reads every record in the course of time and checks it against its address, so that rot is found while copies exist.</summary>
/// <remarks>
/// Walks the partitions in order, a budget of bytes at a time; remembers only where it is. Bad records are quarantined,
/// so that the node's digest no longer answers for them and repair fetches them again. A record that the device refuses is bad
/// as a rotten one is, if the device gives others: a bad sector. A device that gives none, a dead disk, says nothing of
/// what is on it. Records come in the order of their addresses, so those in a row lie anywhere. Thread: one at a time.
/// </remarks>
public sealed class Scrubber(ChunkStore store)
{
    /// <summary>So many in a row that the device refuses: it is the device.</summary>
    private const int RefusedMax = 4;

    /// <summary>What the device refused since it last gave something: none of it is called bad yet.</summary>
    private readonly List<BadRecord> _refused = [];
    private (ushort Partition, RecordKey? Last) _beforeRefused;
    private ushort _partition;
    private RecordKey? _last;

    /// <summary>What the device said, if it refused one record after another; null once it gives something.</summary>
    public StoreError? Refused { get; private set; }

    /// <summary>Records found bad since the start.</summary>
    public long BadRecords { get; private set; }

    /// <summary>Whole passes since the start.</summary>
    public long Passes { get; private set; }

    /// <summary>
    /// Checks records until about so many bytes were read, or the pass is complete, or it is clear that the device gives nothing:
    /// the next step begins with what it refused.
    /// </summary>
    public ScrubStep Step(long bytesMax)
    {
        int records = 0;
        long bytes = 0;
        List<BadRecord> bad = [];
        while (bytes < bytesMax)
        {
            foreach (StoredRecord record in store.Enumerate(new PartitionId(_partition)))
            {
                if (_last is { } last && record.Key <= last)
                {
                    continue;
                }

                if (bytes >= bytesMax)
                {
                    return new ScrubStep(records, bytes, bad, CompletedPass: false);
                }

                (ushort Partition, RecordKey? Last) before = (_partition, _last);
                _last = record.Key;
                records++;
                bytes += Math.Max(record.Length, 1);
                if (!Check(record, before, bad))
                {
                    (_partition, _last) = _beforeRefused;
                    _refused.Clear();
                    return new ScrubStep(records, bytes, bad, CompletedPass: false);
                }
            }

            _last = null;
            _partition = (ushort)((_partition + 1) % PartitionId.Count);
            if (_partition == 0)
            {
                Passes++;
                SetAside(bad);
                return new ScrubStep(records, bytes, bad, CompletedPass: true);
            }
        }

        return new ScrubStep(records, bytes, bad, CompletedPass: false);
    }

    /// <returns>False if it is the device that gives nothing.</returns>
    private bool Check(in StoredRecord record, (ushort Partition, RecordKey? Last) before, List<BadRecord> bad)
    {
        Result<Unit, StoreError> verified = store.Verify(record.Key);
        if (!verified.IsOk && verified.Error.Kind == StoreErrorKind.NotFound)
        {
            return true;
        }

        if (!verified.IsOk && verified.Error.Kind == StoreErrorKind.InputOutput)
        {
            _beforeRefused = _refused.Count == 0 ? before : _beforeRefused;
            _refused.Add(new BadRecord(record, verified.Error));
            Refused = _refused.Count == RefusedMax ? verified.Error : Refused;
            return Refused is null;
        }

        Refused = null;
        SetAside(bad);
        if (!verified.IsOk)
        {
            SetAside(new BadRecord(record, verified.Error), bad);
        }

        return true;
    }

    /// <summary>What was refused is bad if it still is: the device may have been away for a moment.</summary>
    private void SetAside(List<BadRecord> bad)
    {
        foreach (BadRecord refused in _refused)
        {
            Result<Unit, StoreError> verified = store.Verify(refused.Record.Key);
            if (!verified.IsOk && verified.Error.Kind != StoreErrorKind.NotFound)
            {
                SetAside(refused with { Error = verified.Error }, bad);
            }
        }

        _refused.Clear();
    }

    private void SetAside(BadRecord found, List<BadRecord> bad)
    {
        store.Quarantine(found.Record.Key, found.Error);
        BadRecords++;
        bad.Add(found);
    }
}
