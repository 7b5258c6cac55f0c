using Cairn.Core.Primitives;

namespace Cairn.Storage.Packs;

/// <summary>Why a node keeps a record. The numbers are on disk.</summary>
public enum ChunkUse : byte
{
    /// <summary>An extra copy, given up when space is needed.</summary>
    Cached = 1,

    /// <summary>A copy that placement wants here.</summary>
    Replicated = 2,

    /// <summary>Written here and not yet confirmed on enough nodes: never given up, owed to the pool.</summary>
    Staged = 3,
}

/// <summary>A record in the store, as its index knows it.</summary>
/// <param name="Key">Which.</param>
/// <param name="Length">Bytes stored, without the record's header.</param>
/// <param name="Use">Why it is kept.</param>
public readonly record struct StoredRecord(RecordKey Key, int Length, ChunkUse Use);

/// <summary>How the space a node gives is used, in bytes. Everything but <see cref="Free"/> is taken on the disk.</summary>
/// <param name="Allocated">What the owner gave to chunks; never exceeded.</param>
/// <param name="Staged">Written here and not yet on enough nodes.</param>
/// <param name="Replicated">Copies placement wants here.</param>
/// <param name="Cached">Copies that yield.</param>
/// <param name="Dead">Removed records, bad ones, and what is lost to headers and pack ends, until compaction.</param>
/// <param name="Free">What is left: allocated less all others.</param>
public readonly record struct StoreSpace(
    long Allocated, long Staged, long Replicated, long Cached, long Dead, long Free)
{
    /// <summary>What owed copies could still get, once the cache yields and dead space is compacted.</summary>
    public long Obtainable => Free + Cached + Dead;

    /// <summary>Adds up. Under the store's gate.</summary>
    internal static StoreSpace Measure(RecordIndex index, PackFiles files, long allocated)
    {
        long staged = index.BytesOf(ChunkUse.Staged);
        long replicated = index.BytesOf(ChunkUse.Replicated);
        long cached = index.BytesOf(ChunkUse.Cached);
        long dead = 0;
        foreach (Pack? pack in files.Packs)
        {
            dead += pack is null ? 0 : pack.DeadBytes + pack.AsideBytes;
        }

        return new StoreSpace(
            allocated, staged, replicated, cached, dead, Math.Max(0, allocated - staged - replicated - cached - dead));
    }
}

/// <summary>How the chunk store uses the disk.</summary>
public sealed record ChunkStoreOptions
{
    /// <summary>Folder below the home. Default <c>packs</c>.</summary>
    public string Folder { get; init; } = Home.HomeLayout.PacksFolder;

    /// <summary>Bytes that all pack files together may take. Default 10 GiB.</summary>
    public long SpaceBytes { get; init; } = 10L << 30;

    /// <summary>Bytes of one pack file; lowered so that there are at least 16 packs. Default 256 MiB.</summary>
    public int PackBytes { get; init; } = 256 << 20;

    /// <summary>Space only for <see cref="ChunkUse.Staged"/> records: room for what is being written. Default 1/16.</summary>
    public long? WriteReserveBytes { get; init; }

    /// <summary>Whether all pack files are made at once, so that nobody else can fill the disk. Default false: one ahead.</summary>
    public bool PreallocateAll { get; init; }

    /// <summary>The largest record.</summary>
    public const int RecordBytesMax = 5 << 20;

    /// <summary>The size of a pack for this space: a sixteenth of it, from 8 MiB up to <see cref="PackBytes"/>.</summary>
    public int EffectivePackBytes =>
        (int)Math.Min(PackBytes, Math.Max(8L << 20, SpaceBytes / 16 / (1 << 20) * (1 << 20)));
}
