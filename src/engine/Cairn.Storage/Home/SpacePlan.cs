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

    /// <summary>Divides a space; one part in 64 is left for logs and indexes.</summary>
    public static SpacePlan For(long spaceBytes)
    {
        JournalOptions journal = JournalOptions.ForSpace(spaceBytes);
        long chunks = spaceBytes - journal.BytesMax - (spaceBytes / 64);
        return new SpacePlan(journal, new ChunkStoreOptions { SpaceBytes = Math.Max(chunks, 40L << 20) });
    }
}
