using Cairn.Core.Primitives;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Logs.Recovery;

/// <summary>A record that was still in the journal at the start.</summary>
/// <param name="Position">Where; whoever takes the record releases it.</param>
/// <param name="Entry">What it is.</param>
/// <param name="Payload">The sealed payload; empty for an extent, which is read when needed.</param>
public sealed record RecoveredRecord(JournalPosition Position, JournalEntry Entry, ReadOnlyMemory<byte> Payload);

/// <summary>What the journal held at the start, by volume: replayed once per node, before its volumes are opened.</summary>
public sealed class RecoveredJournal
{
    private readonly SortedDictionary<VolumeId, List<RecoveredRecord>> _records = [];

    private RecoveredJournal()
    {
    }

    /// <summary>Whether the last run ended in order.</summary>
    public bool WasClean { get; private set; }

    /// <summary>Committed bytes that could not be read back.</summary>
    public IReadOnlyList<StoreFinding> Damage { get; private set; } = [];

    /// <summary>Volumes with records that nobody took yet, in order.</summary>
    public IReadOnlyList<VolumeId> Waiting => [.. _records.Keys];

    /// <summary>Replays a journal that was just opened.</summary>
    public static Result<RecoveredJournal, StoreError> Replay(Journal journal)
    {
        var recovered = new RecoveredJournal();
        Result<JournalReplayReport, StoreError> report = journal.Replay(recovered.Visit);
        if (!report.IsOk)
        {
            return report.Error;
        }

        recovered.WasClean = report.Value.WasClean;
        recovered.Damage = report.Value.Damage;
        return recovered;
    }

    /// <summary>The records of a volume, in the order they were written; given out once.</summary>
    public IReadOnlyList<RecoveredRecord> Take(VolumeId volume) =>
        _records.Remove(volume, out List<RecoveredRecord>? records) ? records : [];

    /// <summary>Keeps the records of a volume that could not be opened for the next try: its disk was full, perhaps.</summary>
    public void PutBack(VolumeId volume, IReadOnlyList<RecoveredRecord> records) => _records.Add(volume, [.. records]);

    private bool Visit(JournalPosition position, JournalKind kind, ReadOnlySpan<byte> head, ReadOnlySpan<byte> payload)
    {
        if (!JournalEntry.TryRead(head, out JournalEntry entry))
        {
            // A record of a layout this program never wrote: it cannot be acted on, so it must not pin its segment.
            return false;
        }

        if (!_records.TryGetValue(entry.Volume, out List<RecoveredRecord>? records))
        {
            _records.Add(entry.Volume, records = []);
        }

        byte[] kept = entry.Type == JournalEntryType.Extent ? [] : payload.ToArray();
        records.Add(new RecoveredRecord(position, entry, kept));
        return true;
    }
}
