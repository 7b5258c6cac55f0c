using System.Security.Cryptography;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Sync;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Node.Garbage;
using Cairn.Node.Tests.Logs;
using Cairn.Node.Volumes;
using Cairn.Simulation.Time;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Garbage;

/// <summary>A node with a log, chunks and a collector, without an engine: versions are written by hand.</summary>
internal sealed class GarbageNode : IVolumeRoots, IGarbageMembers
{
    private readonly SimulatedScheduler _scheduler;
    private readonly List<GarbageNode> _all;
    private int _asked;

    public GarbageNode(
        SimulatedScheduler scheduler, int number, LogMembers members, List<GarbageNode> all, BrakeLimits? brake = null,
        GarbageOptions? options = null)
    {
        _scheduler = scheduler;
        _all = all;
        Node = new LogNode(scheduler, number, members);
        members.Grant(Node.Identity);
        Node.Open();
        Store = ChunkStore.Open(Node.Disk, new ChunkStoreOptions { SpaceBytes = 64 << 20 }).Value;
        Collector = new GarbageCollector(
            Node.Log, Store, this, this, Node.Identity.Node, Node.Process.Time,
            options ?? new GarbageOptions { Keep = Retention.None, Brake = brake ?? new BrakeLimits() })
        {
            IsSpaceShort = () => IsSpaceShort,
            KnowsLess = () =>
            {
                _asked++;
                return false;
            },
        };
        all.Add(this);
    }

    public LogNode Node { get; }

    public ChunkStore Store { get; }

    public GarbageCollector Collector { get; }

    /// <summary>Roots that open files stand on.</summary>
    public List<ReadOnlyMemory<byte>> Open { get; } = [];

    public IReadOnlyList<NodeId> Writers => [.. _all.Select(node => node.Node.Identity.Node)];

    /// <summary>Whether the pool has hardly any room.</summary>
    public bool IsSpaceShort { get; set; }

    /// <summary>Whether it was forgotten and is not up to date yet.</summary>
    public bool IsReturning { get; set; }

    public TreeQueries Queries => new(Node.Log.Fold.Table);

    public LogPositions Stable(LogPositions held)
    {
        var tracker = new StabilityTracker();
        foreach (GarbageNode node in _all)
        {
            tracker.Said(node.Node.Identity.Node, node.Node.Log.Fold.Positions);
        }

        return tracker.Stable(Writers, Node.Identity.Node, held);
    }

    public IReadOnlyList<ReadOnlyMemory<byte>> OpenRoots() => Open;

    /// <summary>What is behind large roots, as far as it can be read; by default none can.</summary>
    public Func<Manifest?> ReadList { get; set; } = static () => null;

    /// <summary>Whether all are known to have heard that the volume was removed.</summary>
    public bool HaveHeardOfRemoval { get; set; } = true;

    /// <summary>How long it takes to read what is behind a large root: a walk over the tree takes as long.</summary>
    public TimeSpan Reading { get; set; }

    public async ValueTask<Result<Manifest, VolumeError>> Load(
        ReadOnlyMemory<byte> root, CancellationToken cancellation)
    {
        await Task.Delay(Reading, Node.Process.Time, cancellation);
        return ReadList() is { } manifest ? manifest : VolumeError.Unreachable;
    }

    /// <summary>How often its collector went through its steps: it asks twice each time, and where it writes.</summary>
    public int Looks => _asked / 2;

    /// <summary>How long the round of the publisher takes that is always under way.</summary>
    public TimeSpan Publishing { get; set; }

    public async ValueTask<IDisposable> PausePublishing(CancellationToken cancellation)
    {
        await Task.Delay(Publishing, Node.Process.Time, cancellation);
        return new Nothing();
    }

    /// <summary>Stores a chunk on some nodes.</summary>
    public static ChunkRef Chunk(int seed, params GarbageNode[] holders)
    {
        byte[] stored = new byte[5000];
        new Prng((ulong)seed).Fill(stored);
        var address = new ChunkAddress(SHA256.HashData(stored));
        foreach (GarbageNode holder in holders)
        {
            Assert.True(holder.Store.Put(RecordKey.Copy(address), stored, ChunkUse.Replicated).IsOk);
        }

        return new ChunkRef(
            new ChunkId(SHA256.HashData(stored)), address, LogNode.Keyring.Current.Id, 4000, 5000, ChunkEncoding.Raw);
    }

    public static byte[] Root(params ChunkRef[] chunks) => ManifestRootCodec.Encode(
        new ManifestRoot.Inline(Manifest.Of([.. chunks.Select(chunk => (ManifestItem)chunk.Whole())])));

    public void Create(string name, params ChunkRef[] chunks) => Create(name, Version(chunks));

    /// <summary>A file whose list of chunks is kept in a chunk itself.</summary>
    public void CreateLarge(string name, ChunkRef list, Manifest listed) => Create(
        name,
        Version(ManifestRootCodec.Encode(new ManifestRoot.Chunked(
            listed.SizeBytes, listed.SizeBytes, Manifest.Of([list.Whole()]))), listed.SizeBytes));

    public void Overwrite(string name, params ChunkRef[] chunks) => Edit(edits =>
    {
        ObjectView view = View(name);
        return edits.WriteVersion(view.Id, [.. view.Heads.Select(head => head.Version)], Version(chunks));
    });

    public void Unlink(string name) => Edit(edits => edits.Unlink(TreeQueries.Root, Encoding.UTF8.GetBytes(name)));

    /// <summary>A folder of the root, or of another folder.</summary>
    public ObjectId MakeFolder(string name, ObjectId? parent = null)
    {
        ObjectId id = new(Node.Fresh());
        Edit(edits => edits.MakeDirectory(
            parent ?? TreeQueries.Root, Encoding.UTF8.GetBytes(name), new NewObject(id, 0x1ED, 1, 2, default)));
        return id;
    }

    public void RemoveFolder(string name, ObjectId? parent = null) =>
        Edit(edits => edits.RemoveDirectory(parent ?? TreeQueries.Root, Encoding.UTF8.GetBytes(name)));

    public void CreateIn(ObjectId folder, string name, params ChunkRef[] chunks) => Edit(edits => edits.CreateFile(
        folder, Encoding.UTF8.GetBytes(name), new NewObject(new ObjectId(Node.Fresh()), 0x1A4, 1, 2, default),
        Version(chunks)));

    public void UnlinkIn(ObjectId folder, string name) =>
        Edit(edits => edits.Unlink(folder, Encoding.UTF8.GetBytes(name)));

    public ObjectView View(string name) =>
        Queries.Get(Queries.Lookup(TreeQueries.Root, Encoding.UTF8.GetBytes(name))!.Value.Object)!;

    public bool Has(ChunkRef chunk) => Store.Contains(RecordKey.Copy(chunk.Address));

    public bool Round()
    {
        Task<bool> round = Node.Process.Run(() => Collector.Round(CancellationToken.None));
        bool did = _scheduler.Complete(round, TimeSpan.FromMinutes(1));
        Assert.True(Node.Log.Seal().IsOk);
        return did;
    }

    /// <summary>Rounds and exchanges until nothing happens any more.</summary>
    public static void Settle(IReadOnlyList<GarbageNode> nodes)
    {
        for (int turn = 0; turn < 20; turn++)
        {
            Exchange(nodes);
            if (!nodes.Select(node => node.Round()).ToList().Contains(true))
            {
                return;
            }
        }

        Assert.Fail("garbage never settles");
    }

    public static void Exchange(IReadOnlyList<GarbageNode> nodes)
    {
        foreach (GarbageNode from in nodes)
        {
            Assert.True(from.Node.Log.Seal().IsOk);
            foreach (GarbageNode to in nodes)
            {
                to.Node.PullFrom(from.Node);
            }
        }
    }

    private void Create(string name, NewVersion version) => Edit(edits => edits.CreateFile(
        TreeQueries.Root, Encoding.UTF8.GetBytes(name), new NewObject(new ObjectId(Node.Fresh()), 0x1A4, 1, 2, default),
        version));

    private NewVersion Version(ChunkRef[] chunks) => Version(Root(chunks), chunks.Length * 4000);

    private NewVersion Version(byte[] root, long size) => new(new VersionId(Node.Fresh()), size, size, default, root);

    /// <summary>Writes what no engine would.</summary>
    public void Write(params Primitive[] primitives)
    {
        lock (Node.Log.Gate)
        {
            Assert.True(Node.Log.Append([.. primitives], default).IsOk);
        }
    }

    private void Edit(Func<TreeEdits, Result<System.Collections.Immutable.ImmutableArray<Primitive>, TreeError>> edit)
    {
        lock (Node.Log.Gate)
        {
            Assert.True(Node.Log.Append(edit(new TreeEdits(Queries, Node.Fresh)).Value, default).IsOk);
        }
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
        }
    }
}
