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
/// so that the node's digest no longer answers for them and repair fetches them again. Thread: one at a time.
/// </remarks>
public sealed class Scrubber(ChunkStore store)
{
    private ushort _partition;
    private RecordKey? _last;

    /// <summary>Records found bad since the start.</summary>
    public long BadRecords { get; private set; }

    /// <summary>Whole passes since the start.</summary>
    public long Passes { get; private set; }

    /// <summary>Checks records until about so many bytes were read, or the pass is complete.</summary>
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

                _last = record.Key;
                records++;
                bytes += Math.Max(record.Length, 1);
                Check(record, bad);
            }

            _last = null;
            _partition = (ushort)((_partition + 1) % PartitionId.Count);
            if (_partition == 0)
            {
                Passes++;
                return new ScrubStep(records, bytes, bad, CompletedPass: true);
            }
        }

        return new ScrubStep(records, bytes, bad, CompletedPass: false);
    }

    private void Check(in StoredRecord record, List<BadRecord> bad)
    {
        Result<Unit, StoreError> verified = store.VerifyOrQuarantine(record.Key);
        if (verified.IsOk || verified.Error.Kind == StoreErrorKind.NotFound)
        {
            return;
        }

        BadRecords++;
        bad.Add(new BadRecord(record, verified.Error));
    }
}
