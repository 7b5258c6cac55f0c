using Cairn.Storage.Journaling;
using Cairn.Storage.Packs;

namespace Cairn.Storage.Home;

/// <summary>How the space an owner gives is divided, so that all parts together never take more.</summary>
/// <param name="Journal">The journal's part: an eighth, at most 2 GiB.</param>
/// <param name="Chunks">The chunk store's part: what is left.</param>
public sealed record SpacePlan(JournalOptions Journal, ChunkStoreOptions Chunks)
{
    /// <summary>The least a node can give, in bytes: six journal segments of 4 MiB and five packs of 8 MiB.</summary>
    public const long SpaceBytesMin = 80L << 20;

    /// <summary>The least a chunk store works with: five packs of 8 MiB.</summary>
    public const long ChunkBytesMin = 40L << 20;

    /// <summary>Divides a space; one part in 64 is left for logs and indexes.</summary>
    public static SpacePlan For(long spaceBytes)
    {
        JournalOptions journal = JournalOptions.ForSpace(spaceBytes);
        return new SpacePlan(journal, new ChunkStoreOptions { SpaceBytes = ChunkBytes(spaceBytes, journal, 0) });
    }

    /// <summary>The chunk store's part beside a journal of fixed size.</summary>
    /// <param name="spaceBytes">What the owner gives.</param>
    /// <param name="journal">The journal's part.</param>
    /// <param name="othersBytes">What logs and indexes take; at least one part in 64 is set aside for them.</param>
    public static long ChunkBytes(long spaceBytes, JournalOptions journal, long othersBytes) =>
        Math.Max(ChunkBytesMin, spaceBytes - journal.BytesMax - Math.Max(spaceBytes / 64, othersBytes));

    /// <summary>The space that leaves a chunk store so much beside a journal.</summary>
    public static long SpaceBytesFor(JournalOptions journal, long chunkBytes) =>
        ((journal.BytesMax + chunkBytes) * 64 / 63) + 1;
}
