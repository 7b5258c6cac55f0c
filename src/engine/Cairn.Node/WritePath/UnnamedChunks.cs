using Cairn.Core.Primitives;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Recovery;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.WritePath;

/// <summary>The chunks of a volume that were stored here and that no version names yet, though the daemon die in between.</summary>
/// <remarks>
/// A chunk is noted in the journal before it is stored, and its note is given back when a version names it (step 9) or
/// when it is condemned. What is left while nothing waits to be published is garbage that only this node knows of.
/// kill -9 loses no note. A power loss may lose the notes of one round, with the unsynced writes before them: then chunks
/// of that round can stay behind (docs/decisions/garbage.md).
/// A note may be needed for as long as a member is away, or a file open, and one record keeps a whole segment of the journal: so notes
/// that fall behind, by starts or by writes, are written anew. Thread: any; nothing is called back under its lock.
/// </remarks>
public sealed class UnnamedChunks(JournalWriter journal)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<ChunkAddress, JournalPosition> _notes = [];

    /// <summary>All of them, in order.</summary>
    public IReadOnlyList<ChunkAddress> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _notes.Keys];
            }
        }
    }

    /// <summary>A chunk is about to be stored. One record of the journal, unless it is noted already.</summary>
    /// <returns>Whether it was not.</returns>
    public Result<bool, StoreError> Note(ChunkAddress address)
    {
        lock (_gate)
        {
            if (_notes.ContainsKey(address))
            {
                return false;
            }

            if (!Append(address).TryGet(out JournalPosition position, out StoreError error))
            {
                return error;
            }

            _notes.Add(address, position);
            return true;
        }
    }

    /// <summary>Takes the notes of the last run out of what the journal held at the start.</summary>
    /// <returns>The other records.</returns>
    public IReadOnlyList<RecoveredRecord> Restore(IReadOnlyList<RecoveredRecord> records)
    {
        var others = new List<RecoveredRecord>(records.Count);
        foreach (RecoveredRecord record in records)
        {
            if (record.Entry.Type != JournalEntryType.ChunkStored)
            {
                others.Add(record);
            }
            else if (!journal.Open(record).TryGet(out byte[]? plain, out _) || plain.Length != ChunkAddress.Size
                || !_notes.TryAdd(new ChunkAddress(plain), record.Position))
            {
                journal.Journal.Release(record.Position);
            }
        }

        return others;
    }

    /// <summary>Writes notes anew that lie so far back that they keep the journal from using its segments again.</summary>
    /// <returns>The old notes, to be given back when the new ones are durable. Without room a note stays where it is.</returns>
    public IReadOnlyList<JournalPosition> Renew()
    {
        lock (_gate)
        {
            List<JournalPosition> renewed = [];
            foreach ((ChunkAddress address, JournalPosition old) in
                _notes.Where(note => journal.Journal.IsFarBack(note.Value)).ToArray())
            {
                if (!Append(address).TryGet(out JournalPosition position, out _))
                {
                    break;
                }

                _notes[address] = position;
                renewed.Add(old);
            }

            return renewed;
        }
    }

    /// <summary>These are named by a durable version, or condemned: their notes go.</summary>
    public void Settle(IEnumerable<ChunkAddress> addresses)
    {
        lock (_gate)
        {
            foreach (ChunkAddress address in addresses)
            {
                if (_notes.Remove(address, out JournalPosition note))
                {
                    journal.Journal.Release(note);
                }
            }
        }
    }
    private Result<JournalPosition, StoreError> Append(ChunkAddress address)
    {
        Span<byte> plain = stackalloc byte[ChunkAddress.Size];
        address.Value.CopyTo(plain);
        return journal.Append(new JournalEntry { Type = JournalEntryType.ChunkStored }, plain, out _);
    }
}
