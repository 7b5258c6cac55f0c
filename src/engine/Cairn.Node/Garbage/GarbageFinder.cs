using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Core.Tree.Records;
using Cairn.Node.Logs;

namespace Cairn.Node.Garbage;

/// <summary>
/// Finds what may be condemned: the past that no rule keeps and no open file stands on, and what only removed snapshots
/// showed.
/// </summary>
/// <remarks>
/// It walks in short steps under the log's gate. What it found may have come back by the end of the walk: whoever
/// condemns asks <see cref="IsStillGone"/> in the same hold of the gate.
/// </remarks>
internal sealed class GarbageFinder(
    ReplicatedLog log, TreeQueries queries, LiveChunks live, IVolumeRoots roots, GarbageOptions options)
{
    private const int ItemsPerStep = 256;

    /// <summary>About what a chunk takes in a root.</summary>
    private const int RefBytes = 3 * ChunkAddress.Size;

    private int _chunks;
    private int _itemsMax;
    private ulong[]? _sweptFor;

    /// <summary>Whether the last look found more that waits for members to see it removed.</summary>
    public bool HasUnsettled { get; private set; }

    /// <summary>Removed objects and superseded versions, as many as one condemnation takes.</summary>
    /// <remarks>
    /// How many chunks they have is known only when large manifests were read: if too many, so many are taken as fitted.
    /// </remarks>
    /// <param name="limits">What decides.</param>
    /// <param name="candidates">
    /// Gets their chunks: at most <see cref="GarbageOptions.AddressesMax"/>, unless one object alone has more.
    /// </param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>Null for nothing, or when a large manifest cannot be read now.</returns>
    public async Task<GoneSet?> Find(
        PastLimits limits, HashSet<ChunkAddress> candidates, CancellationToken cancellation)
    {
        _itemsMax = options.ItemsMax;
        while (true)
        {
            var gone = new GoneSet();
            var goneRoots = new List<ReadOnlyMemory<byte>>();
            candidates.Clear();
            HasUnsettled = Find(limits, gone, goneRoots);
            if (gone.IsEmpty || await Read(goneRoots, candidates, isAll: _itemsMax <= 1, cancellation) is not { } read)
            {
                return null;
            }

            if (read == goneRoots.Count)
            {
                return gone;
            }

            int items = Items(gone);
            int fitting = (int)((long)items * read / goneRoots.Count);
            _itemsMax = Math.Clamp(fitting, 1, Math.Max(1, Math.Min(items, _itemsMax) - 1));
        }
    }

    /// <summary>The chunks of roots, one root after the other, until they are too many for one condemnation.</summary>
    /// <remarks>
    /// A list that is on no node says nothing any more. What was removed goes without what it named: that stays, which costs
    /// space; to wait for it would keep all other garbage as well, for ever.
    /// </remarks>
    /// <returns>Of how many roots they are; null when a large manifest cannot be read now.</returns>
    private async Task<int?> Read(
        List<ReadOnlyMemory<byte>> gone, HashSet<ChunkAddress> candidates, bool isAll, CancellationToken cancellation)
    {
        for (int i = 0; i < gone.Count; i++)
        {
            bool isRead = await live.ChunksOf(
                [gone[i]], chunk => _ = IsOwn(chunk) && candidates.Add(chunk.Address), cancellation);
            if (!isRead && !roots.IsLost(gone[i]))
            {
                return null;
            }

            if (candidates.Count > options.AddressesMax && !isAll)
            {
                return i;
            }
        }

        return gone.Count;
    }

    /// <returns>Whether there is more that waits for members to see it removed.</returns>
    private bool Find(PastLimits limits, GoneSet gone, List<ReadOnlyMemory<byte>> goneRoots)
    {
        _chunks = 0;
        PastSweep sweep = new(queries, new TreeRules(queries, Rule.Default with { Keep = options.Keep }), limits);
        PastWalk walk = new(log, queries);
        RemovedFolders folders = new(queries);
        walk.Removed(some =>
        {
            AddObjects(some, sweep, gone, goneRoots, folders);
            return HasRoom(gone);
        });
        AddFolders(folders, gone);
        walk.Superseded(some =>
        {
            AddVersions(some, sweep, gone, goneRoots);
            return HasRoom(gone);
        });
        FindKept(gone, goneRoots);
        return sweep.HasUnsettled;
    }

    /// <summary>Whether nothing of what was found came back. Called under the gate.</summary>
    public bool IsStillGone(GoneSet gone)
    {
        HashSet<ReadOnlyMemory<byte>> open = OpenRoots();
        return gone.Objects.All(id => queries.Get(id) is { IsDetached: true } && !Roots(id).Exists(open.Contains))
            && gone.Versions.All(version => queries.Superseded(version) is not null)
            && (gone.Sweep is not { } sweep
                || KeptRecord.Unneeded(log.Fold.Table, sweep.From.ToArray(), sweep.To.ToArray())
                    .TrueForAll(record => gone.Kept.Contains(record.TableKey)));
    }

    /// <summary>What was kept for snapshots that are gone. Looked for only when snapshots came or went.</summary>
    private void FindKept(GoneSet gone, List<ReadOnlyMemory<byte>> goneRoots)
    {
        byte[] from = KeptRecord.First.ToArray();
        while (HasRoom(gone))
        {
            lock (log.Gate)
            {
                ulong[] marks = KeptRecord.Marks(log.Fold.Table);
                if (marks.AsSpan().SequenceEqual(_sweptFor))
                {
                    return;
                }

                byte[] to = EndOfStep(from);
                foreach (KeptRecord record in KeptRecord.Unneeded(log.Fold.Table, from, to))
                {
                    gone.Kept.Add(record.TableKey);
                    gone.Sweep = new SweepKept(gone.Sweep?.From ?? from, to);
                    Add([.. record.Manifests], goneRoots);
                }

                from = to;
                if (to.AsSpan().SequenceEqual(KeptRecord.End.Span))
                {
                    // With nothing found in all of it, there is nothing to find before another snapshot comes or goes.
                    _sweptFor = gone.Kept.Count == 0 ? marks : _sweptFor;
                    return;
                }
            }
        }
    }

    /// <summary>Where a step ends: between the records of two keys, because those of one are judged together.</summary>
    private byte[] EndOfStep(byte[] from)
    {
        int count = 0;
        ReadOnlyMemory<byte> key = default;
        foreach (KeptRecord record in KeptRecord.Between(log.Fold.Table, from, []))
        {
            if (++count > ItemsPerStep && !record.Key.Span.SequenceEqual(key.Span))
            {
                return record.TableKey;
            }

            key = record.Key;
        }

        return KeptRecord.End.ToArray();
    }

    private void AddObjects(
        IReadOnlyList<DetachedObject> some, PastSweep sweep, GoneSet gone, List<ReadOnlyMemory<byte>> goneRoots,
        RemovedFolders folders)
    {
        // An open file keeps what it stands on: its roots are never condemned, so neither is what has them.
        HashSet<ReadOnlyMemory<byte>> open = OpenRoots();
        foreach (DetachedObject removed in some)
        {
            if (!HasRoom(gone))
            {
                return;
            }

            List<ReadOnlyMemory<byte>>? own = sweep.MayForget(removed) ? Roots(removed.Object) : null;
            if (own is null || own.Exists(open.Contains))
            {
                folders.NoteStays(removed.Object);
            }
            else if (queries.Get(removed.Object) is { Kind: TreeKind.Directory })
            {
                folders.NoteMayGo(removed.Object);
            }
            else
            {
                gone.Objects.Add(removed.Object);
                Add(own, goneRoots);
            }
        }
    }

    /// <summary>Folders go last, when all was looked through: their rules say whether what was in them may go.</summary>
    private void AddFolders(RemovedFolders folders, GoneSet gone)
    {
        if (!HasRoom(gone))
        {
            return;
        }

        lock (log.Gate)
        {
            gone.Objects.UnionWith(folders.Free().Take(_itemsMax - Items(gone)));
        }
    }

    private void AddVersions(
        IReadOnlyList<SupersededVersion> some, PastSweep sweep, GoneSet gone, List<ReadOnlyMemory<byte>> goneRoots)
    {
        HashSet<ReadOnlyMemory<byte>> open = OpenRoots();
        foreach (SupersededVersion past in some)
        {
            if (HasRoom(gone) && !gone.Objects.Contains(past.Object) && !open.Contains(past.Version.Manifest)
                && sweep.MayForget(past))
            {
                gone.Versions.Add(new VersionRef(past.Object, past.Version.Version));
                Add([past.Version.Manifest], goneRoots);
            }
        }
    }

    private void Add(List<ReadOnlyMemory<byte>> found, List<ReadOnlyMemory<byte>> goneRoots)
    {
        goneRoots.AddRange(found);
        _chunks += found.Sum(static root => Math.Max(1, root.Length / RefBytes));
    }

    private List<ReadOnlyMemory<byte>> Roots(ObjectId id)
    {
        var own = new List<ReadOnlyMemory<byte>>();
        RecordRoots.AddHeads(queries, id, own);
        own.AddRange(queries.SupersededVersions(id).Select(past => past.Version.Manifest));
        return own;
    }

    /// <summary>
    /// Whether a chunk is this volume's to condemn: what a clone took over is its origin's, which may need it still.
    /// </summary>
    public bool IsOwn(ChunkRef chunk) => log.Keys.TryGet(chunk.Epoch, out _);

    private HashSet<ReadOnlyMemory<byte>> OpenRoots() => new(roots.OpenRoots(), RootComparer.Instance);

    /// <summary>An eighth is left for what roots say of their chunks is too little: else the walk is made again.</summary>
    private bool HasRoom(GoneSet gone) =>
        Items(gone) < _itemsMax && _chunks <= options.AddressesMax * 7 / 8;

    /// <summary>A version counts twice: its name takes as many bytes as two objects.</summary>
    private static int Items(GoneSet gone) =>
        gone.Objects.Count + (2 * gone.Versions.Count) + gone.Kept.Count;

    private sealed class RootComparer : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public static RootComparer Instance { get; } = new();

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlyMemory<byte> obj) =>
            obj.Length < 40 ? obj.Length : BitConverter.ToInt32(obj.Span[^24..]);
    }
}
