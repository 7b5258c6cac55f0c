using System.Globalization;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Replication;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Offline;

/// <summary>Gives the space of a path's local copies back, as far as they are this node's own luxury.</summary>
/// <remarks>
/// Only cached copies go, and only those that as many other nodes as there should be copies say they hold now and answer
/// for. A cached copy counts for nobody, so no two nodes can rely on each other here; what placement wants on this node is
/// the pool's, and goes when placement moves it (docs/decisions/dropping-copies.md).
/// </remarks>
internal sealed class LocalCopies(ChunkStore store, PoolView view, CopyCensus census)
{
    /// <summary>Frees what may be freed of these chunks.</summary>
    public async Task<Result<FreeReport, StoreError>> Free(IReadOnlyList<ChunkAddress> addresses)
    {
        long owed = 0;
        long pinned = 0;
        long unconfirmed = 0;
        List<StoredRecord> cached = [];
        foreach (ChunkAddress address in addresses)
        {
            if (!store.TryGet(RecordKey.Copy(address), out StoredRecord record))
            {
                continue;
            }

            bool isPinned = store.Pins.IsPinned(record.Key);
            switch (record.Use)
            {
                case ChunkUse.Cached when !isPinned:
                    cached.Add(record);
                    break;
                case ChunkUse.Cached:
                    pinned += record.Length;
                    break;
                case ChunkUse.Replicated:
                    owed += record.Length;
                    break;
                case ChunkUse.Staged:
                    unconfirmed += record.Length;
                    break;
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }

        int[] copies = await census.Elsewhere([.. cached.Select(record => record.Key.Address)], []);
        PlacementTable table = view.Placement;
        int wanted = Math.Max(1, Math.Min(table.Copies, table.NodeCount - 1));
        long freed = 0;
        for (int i = 0; i < cached.Count; i++)
        {
            if (copies[i] < wanted)
            {
                unconfirmed += cached[i].Length;
            }
            else if (!store.Remove(cached[i].Key).TryGet(out _, out StoreError error))
            {
                return error;
            }
            else
            {
                freed += cached[i].Length;
            }
        }

        return new FreeReport(freed, owed, unconfirmed, pinned, Sentence(freed, owed, unconfirmed, pinned));
    }

    private static string Sentence(long freed, long owed, long unconfirmed, long pinned)
    {
        string text = $"{Size(freed)} freed.";
        text += owed > 0
            ? $" {Size(owed)} stay: this machine is one of those that keep the pool's copies."
            : string.Empty;
        text += pinned > 0 ? $" {Size(pinned)} stay: another pin covers them." : string.Empty;
        text += unconfirmed > 0
            ? $" {Size(unconfirmed)} stay: not enough other machines confirm that they have them."
            : string.Empty;
        return text;
    }

    private static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.#} MiB");
}
