using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>One pack file: free, taking records, or full.</summary>
/// <remarks>Guarded by the store's gate, but for writes into ranges that were reserved under it, and reads.</remarks>
internal sealed class Pack(int slot, IDiskFile file)
{
    private int _readers;

    /// <summary>Its place in the store's list.</summary>
    public int Slot { get; } = slot;

    /// <summary>The open file.</summary>
    public IDiskFile File { get; } = file;

    /// <summary>The pack's number; 0 when the file is free.</summary>
    public uint Number { get; set; }

    /// <summary>Bytes of the file.</summary>
    public int FileBytes { get; set; }

    /// <summary>Where the next record goes.</summary>
    public int End { get; set; }

    /// <summary>Bytes of records in the index, and of those set aside.</summary>
    public long LiveBytes { get; set; }

    /// <summary>Bytes of records that were set aside.</summary>
    public long AsideBytes { get; set; }

    /// <summary>Whether records still go here.</summary>
    public bool IsCurrent { get; set; }

    /// <summary>Writes and syncs under way outside the gate.</summary>
    public int Users { get; set; }

    /// <summary>Records reserved and not yet written.</summary>
    public int Writing { get; set; }

    /// <summary>Grows with every write.</summary>
    public ulong Written { get; set; }

    /// <summary>The value of <see cref="Written"/> that a sync has covered.</summary>
    public ulong Synced { get; set; }

    /// <summary>The index snapshot that no longer tells the truth about this pack.</summary>
    public ulong ChangedSince { get; set; }

    /// <summary>Everything before this offset was synced.</summary>
    public int DurableBytes { get; set; }

    /// <summary>Readers of bytes in it, counted without the gate.</summary>
    public int Readers => Volatile.Read(ref _readers);

    /// <summary>Whether nothing touches the file.</summary>
    public bool IsIdle => Users == 0 && Writing == 0 && Readers == 0;

    /// <summary>Bytes that compaction would give back.</summary>
    public long DeadBytes => Number == 0 ? 0 : (IsCurrent ? End : FileBytes) - LiveBytes;

    /// <summary>A reader begins, under the gate; the pack stays as it is until <see cref="EndRead"/>.</summary>
    public void BeginRead() => Interlocked.Increment(ref _readers);

    /// <summary>A reader ends.</summary>
    public void EndRead() => Interlocked.Decrement(ref _readers);

    /// <summary>Makes a free file a new pack.</summary>
    public Result<Unit, DiskError> Begin(uint number, ulong generation)
    {
        Number = number;
        End = PackFormat.HeaderBytes;
        DurableBytes = End;
        LiveBytes = 0;
        ChangedSince = generation;
        Result<Unit, DiskError> written = WriteHeader();
        Number = written.IsOk ? number : 0;
        return written;
    }

    /// <summary>Writes the header as the fields are now.</summary>
    public Result<Unit, DiskError> WriteHeader()
    {
        Span<byte> header = stackalloc byte[PackFormat.HeaderBytes];
        PackFormat.Write(header, new PackHeader(Number, (uint)FileBytes, ChangedSince, (uint)DurableBytes));
        Written++;
        return File.Write(0, header);
    }

    /// <summary>The record at this place is needed no more.</summary>
    public Result<Unit, DiskError> MarkDead(int offset)
    {
        Span<byte> use = stackalloc byte[2];
        PackFormat.WriteUse(use, PackFormat.Dead);
        Written++;
        return File.Write(offset + PackFormat.UseOffset, use);
    }

    /// <summary>Wipes the header and syncs, so that no crash can bring its records back.</summary>
    public Result<Unit, DiskError> Wipe()
    {
        Span<byte> zeros = stackalloc byte[PackFormat.HeaderBytes];
        zeros.Clear();
        Result<Unit, DiskError> written = File.Write(0, zeros);
        return written.IsOk ? File.Sync() : written;
    }
}
