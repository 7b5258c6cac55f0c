using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Garbage;

/// <summary>Goes through the tree of a removed volume and names all its chunks, so many at a time as one condemnation takes.</summary>
/// <remarks>
/// In two passes: two files may share the list of their chunks, and a list that is gone cannot be read for the second.
/// Nobody writes to a removed volume, so what was passed has not changed. Thread: one at a time, from one loop.
/// </remarks>
internal sealed class VolumePurge(TreeQueries queries, LiveChunks live, GarbageOptions options)
{
    /// <summary>Whether everything is condemned, and every member has removed it. Under the gate.</summary>
    public bool IsDone => Mark.Stage == PurgeStage.Done && queries.Condemned().Count == 0;

    /// <summary>How far it is, as the log says. Under the gate.</summary>
    public PurgeMark Mark => PurgeMark.Of(queries);

    /// <summary>The chunks that come next, and how far that is; null when a list of chunks cannot be read now.</summary>
    /// <param name="mark">How far it was.</param>
    /// <param name="isOwn">Whether a chunk is this volume's to condemn.</param>
    /// <param name="mayMiss">Whether lists that cannot be read are passed over.</param>
    /// <param name="cancellation">Ends it early.</param>
    public async ValueTask<(SortedSet<ChunkAddress> Addresses, PurgeMark Mark)?> Next(
        PurgeMark mark, Func<ChunkRef, bool> isOwn, bool mayMiss, CancellationToken cancellation)
    {
        SortedSet<ChunkAddress> addresses = [];
        while (mark.Stage != PurgeStage.Done)
        {
            cancellation.ThrowIfCancellationRequested();
            List<TreeRecord> records = live.RecordsAfter(mark.After);
            foreach (TreeRecord record in records)
            {
                List<ChunkRef>? chunks = await ChunksOf(record, mark.Stage, isOwn, cancellation);
                if (chunks is null && !mayMiss)
                {
                    return null;
                }

                foreach (ChunkRef chunk in chunks?.Skip(mark.Skip) ?? [])
                {
                    if (addresses.Count == options.AddressesMax)
                    {
                        return (addresses, mark);
                    }

                    mark = mark with { Skip = mark.Skip + 1 };
                    addresses.Add(chunk.Address);
                }

                mark = mark with { After = record.Key, Skip = 0 };
            }

            if (records.Count == 0)
            {
                mark = new PurgeMark(mark.Stage + 1, ReadOnlyMemory<byte>.Empty, 0);
            }
        }

        return (addresses, mark);
    }

    private async ValueTask<List<ChunkRef>?> ChunksOf(
        TreeRecord record, PurgeStage stage, Func<ChunkRef, bool> isOwn, CancellationToken cancellation)
    {
        List<ChunkRef> own = [];
        foreach (ReadOnlyMemory<byte> encoded in record.Roots.Where(static root => !root.IsEmpty))
        {
            if (!ManifestRootCodec.Decode(encoded.Span).TryGet(out ManifestRoot? root, out _))
            {
                return null;
            }

            List<ChunkRef> named = root.DirectChunks().Where(isOwn).ToList();
            if (stage == PurgeStage.Named)
            {
                own.AddRange(named);
            }
            else if (root is ManifestRoot.Chunked && named.Count > 0)
            {
                // A list that a clone took over is its origin's, and so is what it lists; it may be gone already.
                List<ChunkRef> listed = [];
                if (!await live.ListedBy(encoded, listed.Add, cancellation))
                {
                    return null;
                }

                own.AddRange(listed.Where(isOwn));
            }
        }

        return own;
    }
}
