using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>Gets space back a pack at a time: its cached records are given up, its owed ones move, its file is used again.</summary>
/// <remarks>
/// The steps, in this order, so that a crash between any two loses nothing: (1) choose, (2) give up the cache, (3) copy
/// what is owed, checked, (4) sync the copies, (5) wipe the file. Copies of both places are one record at the next
/// start: the later pack counts. One reclaim at a time.
/// </remarks>
internal sealed class PackReclaimer(
    object gate, PackFiles files, RecordIndex index, PackAllocator allocator, Func<Result<Unit, StoreError>> commit)
{
    private readonly object _one = new();

    /// <summary>Records that turned out to be damaged while they were moved.</summary>
    public Action<RecordKey, StoreError>? Damaged { get; set; }

    /// <summary>Frees one pack for a record of this use, if any is worth it.</summary>
    /// <remarks>A cached record is not worth much moving: only packs that are mostly dead or cached are cleared for it.</remarks>
    public bool Reclaim(ChunkUse use)
    {
        lock (_one)
        {
            lock (gate)
            {
                if (allocator.CanTake(use))
                {
                    return true;
                }
            }

            return ReclaimOne(givesUpCache: true, gainMin: use == ChunkUse.Cached ? 0.5 : 1.0 / 16);
        }
    }

    /// <summary>Compacts packs of which more than half is dead, and shrinks the store to its space. Returns packs freed.</summary>
    public int Maintain()
    {
        int freed = 0;
        while (true)
        {
            bool isOver;
            lock (gate)
            {
                files.DiscardSurplus();
                isOver = files.IsOver;
            }

            lock (_one)
            {
                if (!ReclaimOne(givesUpCache: isOver, gainMin: isOver ? 1.0 / 16 : 0.5))
                {
                    return freed;
                }
            }

            freed++;
        }
    }

    private bool ReclaimOne(bool givesUpCache, double gainMin)
    {
        // (1) Choose.
        Pack? victim;
        List<int> kept = [];
        lock (gate)
        {
            victim = Choose(gainMin, givesUpCache);
            if (victim is null)
            {
                return false;
            }

            allocator.Retire(victim);

            // (2) Give up the cache, when somebody needs the space; otherwise it moves along.
            Collect(victim, kept, givesUpCache);
        }

        // (3) Copy what stays. (4) Sync the copies. (5) Wipe.
        bool isFreed = Move(victim, kept) && commit().IsOk && Wipe(victim);
        return isFreed || (victim.AsideBytes > 0 && ReclaimOne(givesUpCache, gainMin));
    }

    private Pack? Choose(double gainMin, bool givesUpCache)
    {
        Tally[] tallies = new Tally[files.Packs.Count];
        uint newest = 1;
        RecordTable table = index.Table;
        for (int i = 0; i < table.IndexEnd; i++)
        {
            if (!table.IsUsed(i))
            {
                continue;
            }

            ref RecordEntry entry = ref table[i];
            ref Tally tally = ref tallies[entry.Pack];
            newest = Math.Max(newest, entry.LastUse);
            if (givesUpCache && index.Yields(entry))
            {
                tally.Cached += entry.RecordBytes;
                tally.Recency += (double)entry.LastUse * entry.RecordBytes;
            }
            else
            {
                tally.Owed += entry.RecordBytes;
            }
        }

        Pack? best = null;
        double bestScore = double.MaxValue;
        foreach (Pack? pack in files.Packs)
        {
            // One that holds what was set aside would not come free.
            if (pack is null || pack.Number == 0 || pack.Writing > 0 || pack.AsideBytes > 0)
            {
                continue;
            }

            Tally tally = tallies[pack.Slot];
            long own = pack.IsCurrent ? pack.FileBytes - pack.End : 0;

            // The end that a pack could not fill comes again in the next one: a gain only if any record would fit.
            long slack = pack.FileBytes - pack.End;
            slack = pack.IsCurrent || slack <= PackFormat.RecordBytes(ChunkStoreOptions.RecordBytesMax) ? 0 : slack;
            double gain = (pack.End - PackFormat.HeaderBytes + slack - tally.Owed) / (double)pack.FileBytes;
            bool isWorthIt = gain >= gainMin && tally.Owed <= allocator.RoomForMoves - own;

            // What must be moved, and how recently what would be given up was read.
            double score = ((2 * tally.Owed) + (tally.Recency / newest)) / pack.FileBytes;
            if (isWorthIt && score < bestScore)
            {
                best = pack;
                bestScore = score;
            }
        }

        return best;
    }

    private void Collect(Pack victim, List<int> kept, bool givesUpCache)
    {
        RecordTable table = index.Table;
        for (int i = 0; i < table.IndexEnd; i++)
        {
            if (!table.IsUsed(i) || table[i].Pack != victim.Slot)
            {
                continue;
            }

            if (givesUpCache && index.Yields(table[i]))
            {
                index.Remove(i, victim);
            }
            else
            {
                kept.Add(i);
            }
        }

        kept.Sort((a, b) => table[a].OffsetUnits.CompareTo(table[b].OffsetUnits));
    }

    private bool Move(Pack victim, List<int> kept)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PackFormat.HeaderBytes + ChunkStoreOptions.RecordBytesMax);
        try
        {
            foreach (int at in kept)
            {
                if (!MoveOne(victim, at, buffer))
                {
                    return false;
                }
            }

            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private bool MoveOne(Pack victim, int at, byte[] buffer)
    {
        RecordKey key;
        int offset;
        int length;
        ChunkUse use;
        lock (gate)
        {
            ref RecordEntry entry = ref index.Table[at];
            if (!index.Table.IsUsed(at) || entry.Pack != victim.Slot)
            {
                return true;
            }

            (key, offset, length, use) = (entry.Key, (int)entry.Offset, entry.Length, entry.Use);
        }

        Span<byte> record = buffer.AsSpan(0, PackFormat.HeaderBytes + length);
        Span<byte> stored = record[PackFormat.HeaderBytes..];
        Result<Unit, DiskError> read = victim.File.ReadPatiently(offset, record);
        if (!read.IsOk || !PackFormat.TryRead(record, out PackRecord header)
            || header.Key != key || header.Length != length || header.Checksum != Crc32C.Compute(stored))
        {
            string where = $"{victim.File.Path}+{offset}";
            Damaged?.Invoke(key, read.IsOk
                ? new StoreError(StoreErrorKind.Corrupt, where, "the record fails its checksum")
                : StoreError.From(read.Error));
            return true;
        }

        if (!allocator.ReserveForMove(PackFormat.RecordBytes(length), use).TryGet(out PackPlace place, out _))
        {
            return false;
        }

        PackFormat.Write(record, header with { Pack = place.Number, Use = (byte)use });
        Result<Unit, DiskError> written = place.Pack.File.Write(place.Offset, record);
        lock (gate)
        {
            place.Pack.Writing--;
            place.Pack.Written++;
            int now = index.Table.Find(key);
            bool isStill = written.IsOk && now >= 0
                && index.Table[now].Pack == victim.Slot && index.Table[now].Offset == offset;
            byte wanted = isStill ? (byte)index.Table[now].Use : PackFormat.Dead;
            if (written.IsOk && wanted != (byte)use)
            {
                PackFormat.WriteUse(record, wanted);
                written = place.Pack.File.Write(place.Offset + PackFormat.UseOffset, record[..2]);
            }

            if (isStill && written.IsOk)
            {
                index.Move(now, victim, place.Pack, place.Offset);
            }
        }

        return written.IsOk;
    }

    private bool Wipe(Pack victim)
    {
        SpinWait wait = default;
        while (true)
        {
            lock (gate)
            {
                if (victim.LiveBytes != 0)
                {
                    return false;
                }

                if (victim.IsIdle)
                {
                    // From here nobody finds it: nothing in the index points to it, and it takes no records.
                    victim.Users++;
                    break;
                }
            }

            wait.SpinOnce();
        }

        bool isWiped = victim.Wipe().IsOk;
        lock (gate)
        {
            victim.Users--;
            if (isWiped)
            {
                victim.Synced = victim.Written;
                files.AddFree(victim);
            }
        }

        return isWiped;
    }

    private struct Tally
    {
        public long Owed;
        public long Cached;
        public double Recency;
    }
}
