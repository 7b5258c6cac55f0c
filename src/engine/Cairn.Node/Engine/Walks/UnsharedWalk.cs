using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Logs;
using Cairn.Node.Pool;

namespace Cairn.Node.Engine.Walks;

/// <summary>Finds the files of a volume whose newest writes are on this node alone.</summary>
/// <remarks>
/// What was written last is unshared first, so this node's own logs are read from their ends backwards: the cost follows
/// what is unshared, not the size of the tree.
/// </remarks>
internal sealed class UnsharedWalk(
    VolumeState state, LogPositions elsewhere, IReadOnlySet<ChunkAddress> onlyHere)
{
    private const int PathsMax = 10;
    private const int BlockBytesMax = 2 << 20;

    private readonly HashSet<ObjectId> _seen = [];
    private readonly List<string> _paths = [];
    private long _count;
    private long _bytes;

    public UnsharedFiles Run()
    {
        lock (state.Gate)
        {
            foreach (OpenObject open in state.OpenObjects.Where(open => open.Newest is not null))
            {
                Add(open.Id, (open.Active?.Map.DataBytes ?? 0) + (open.Frozen?.Map.DataBytes ?? 0));
            }
        }

        LogPositions held = state.Parts.Log.Positions;
        NodeId self = state.Parts.Log.OwnLogId.Author;
        int budget = BlockBytesMax;
        foreach ((LogId log, LogPosition tip) in held.Logs.Where(pair => pair.Key.Author == self).Reverse())
        {
            for (ulong seq = tip.BlockSeq; seq > 0 && budget > 0 && IsWanted(log, seq); seq--)
            {
                LogPositions before = held.With(log, new LogPosition(seq - 1, 0));
                IReadOnlyList<HeldBlock> read = state.Parts.Log.BlocksAfter(before, bytesMax: 1);
                budget -= read.Count == 0 ? BlockBytesMax : read[0].Bytes.Length;
                if (read.Count > 0)
                {
                    Look(read[0], isUnheard: seq > elsewhere[log].BlockSeq);
                }
            }
        }

        return new UnsharedFiles(_count, _bytes, _paths);
    }

    private bool IsWanted(LogId log, ulong seq) => seq > elsewhere[log].BlockSeq || onlyHere.Count > 0;

    private void Look(HeldBlock held, bool isUnheard)
    {
        if (!LogBlockCodec.Decode(held.Bytes).TryGet(out LogBlock? block, out _)
            || !BlockPayload.Open(state.Keys, block).TryGet(out ImmutableArray<Transaction> transactions, out _))
        {
            return;
        }

        foreach (WriteVersion write in transactions.SelectMany(transaction => transaction.Primitives)
            .OfType<WriteVersion>().Reverse())
        {
            ImmutableArray<ChunkRef> chunks =
                ManifestRootCodec.Decode(write.Manifest.Span).TryGet(out ManifestRoot? root, out _)
                    ? root.DirectChunks()
                    : [];
            if (isUnheard || chunks.Any(chunk => onlyHere.Contains(chunk.Address)))
            {
                lock (state.Gate)
                {
                    // What has been replaced or removed since is nobody's loss.
                    bool isShown = state.Queries.Get(write.Object) is { IsDetached: false } view
                        && view.Heads.Any(head => head.Is(write.Version));
                    if (isShown)
                    {
                        Add(write.Object, chunks.IsEmpty ? write.DataBytes : 0);
                    }
                }
            }
        }
    }

    private void Add(ObjectId id, long bytes)
    {
        if (!_seen.Add(id))
        {
            return;
        }

        _count++;
        _bytes += bytes;
        if (_paths.Count < PathsMax)
        {
            _paths.Add(state.Parts.Name + "/" + NameText.Join(state.Queries.PathOf(id)));
        }
    }
}
