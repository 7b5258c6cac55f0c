using Cairn.Core.Fold.Tables;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Records;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;

namespace Cairn.Node.Garbage;

/// <summary>
/// Goes through a tree that this node had before a checkpoint took its place, and names the chunks of what is not the same any more.
/// </summary>
/// <remarks>
/// Some were collected meanwhile, by lists that are gone with the logs: nobody but this node has them, and who finds a copy here
/// would take it for the last one. In two passes, as <see cref="VolumePurge"/>: a list that went cannot be read for another file that
/// shared it. A list that cannot be read is passed over: what is lost by that is space. Thread: one at a time, from one loop.
/// </remarks>
/// <param name="log">The log of the volume.</param>
/// <param name="live">Reads lists of chunks.</param>
/// <param name="kept">The tree.</param>
internal sealed class OutlivedChunks(ReplicatedLog log, LiveChunks live, IIndexStore kept)
{
    /// <summary>So many are looked for at once in what is needed: each time the whole tree is walked.</summary>
    private const int AddressesMax = 1 << 17;

    private const int RecordsPerTurn = 4096;

    private readonly IndexTable _table = new(kept);

    /// <summary>Tells them, so many at a time as are looked for at once.</summary>
    /// <param name="isWanted">Whether a chunk's copy is here, and may be given up.</param>
    /// <param name="giveUp">Takes some of them; false ends it.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>Whether all were taken.</returns>
    public async ValueTask<bool> Run(
        Func<ChunkRef, bool> isWanted, Func<HashSet<ChunkAddress>, Task<bool>> giveUp, CancellationToken cancellation)
    {
        HashSet<ChunkAddress> found = [];
        foreach (bool isInLists in (bool[])[true, false])
        {
            long steps = 0;
            foreach (ReadOnlyMemory<byte> encoded in Roots(cancellation))
            {
                if (++steps % RecordsPerTurn == 0)
                {
                    // Of a million files a walk takes seconds, and other work is on this loop, too.
                    await Task.Yield();
                }

                if (encoded.IsEmpty)
                {
                    continue;
                }

                await Name(encoded, isInLists, chunk => _ = isWanted(chunk) && found.Add(chunk.Address), cancellation);
                if (found.Count >= AddressesMax)
                {
                    if (!await giveUp(found))
                    {
                        return false;
                    }

                    found = [];
                }
            }

            if (found.Count > 0 && !await giveUp(found))
            {
                return false;
            }

            found = [];
        }

        return true;
    }

    /// <summary>The roots of what is not the same any more, and an empty one for each record that is.</summary>
    private IEnumerable<ReadOnlyMemory<byte>> Roots(CancellationToken cancellation)
    {
        var tree = new TreeQueries(new OverlayTable(_table, cacheBytesMax: 0, learnKeysMax: 0));
        TableCursor cursor = _table.Scan([TreeKeys.Object], KeptRecord.End.Span);
        List<ReadOnlyMemory<byte>> roots = [];
        while (cursor.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            if (IsTheSame(cursor.Key, cursor.Value))
            {
                yield return default;
                continue;
            }

            roots.Clear();
            RecordRoots.Add(tree, cursor.Key, cursor.Value, roots);
            foreach (ReadOnlyMemory<byte> root in roots.Where(static root => !root.IsEmpty))
            {
                yield return root;
            }
        }
    }

    private bool IsTheSame(byte[] key, byte[] value)
    {
        lock (log.Gate)
        {
            return log.Fold.Table.Find(key).Span.SequenceEqual(value);
        }
    }

    private async ValueTask Name(
        ReadOnlyMemory<byte> encoded, bool isInLists, Action<ChunkRef> found, CancellationToken cancellation)
    {
        if (!ManifestRootCodec.Decode(encoded.Span).TryGet(out ManifestRoot? root, out _))
        {
            return;
        }

        if (!isInLists)
        {
            foreach (ChunkRef chunk in root.DirectChunks())
            {
                found(chunk);
            }
        }
        else if (root is ManifestRoot.Chunked)
        {
            _ = await live.ListedBy(encoded, found, cancellation);
        }
    }
}
