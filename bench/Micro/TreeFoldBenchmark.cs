using System.Text;
using BenchmarkDotNet.Attributes;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Bench.Micro;

/// <summary>What a namespace of 100,000 files costs: a create with its pre-images, a lookup, a look at an object, a peer's work.</summary>
/// <remarks>Aims: create under 10 µs, lookup and get under 1 µs, 200,000 foreign transactions a second.</remarks>
[MemoryDiagnoser]
public class TreeFoldBenchmark
{
    private const int Files = 100_000;
    private const int Batch = 1000;

    private readonly LogId _log = new(new NodeId(new byte[NodeId.Size]), 1);
    private readonly List<ObjectId> _directories = [];
    private readonly List<(ObjectId Parent, byte[] Name, ObjectId Id)> _files = [];
    private Transaction[] _foreign = [];
    private Prng _random = new(1);
    private OrderedFold _fold = null!;
    private TreeQueries _queries = null!;
    private TreeEdits _edits = null!;
    private int _next;

    [GlobalSetup]
    public void Fill()
    {
        _random = new Prng(1);
        _fold = new OrderedFold(MemoryTable.Tracking(new MemoryTable()), new TreeApplier());
        _queries = new TreeQueries(_fold.Table);
        _edits = new TreeEdits(_queries, Fresh);
        for (int i = 0; i < Files / 500; i++)
        {
            var made = new NewObject(new ObjectId(Fresh()), 0x1ED, 0, 0, default);
            _directories.Add(made.Id);
            Apply(_edits.MakeDirectory(default, Encoding.UTF8.GetBytes($"d{i}"), made).Value);
        }

        while (_files.Count < Files)
        {
            Create();
        }

        MakeForeign();
    }

    /// <summary>A file made with its content: checked, authored, applied, its pre-images kept.</summary>
    [Benchmark]
    public void Create()
    {
        int n = _files.Count;
        ObjectId parent = _directories[n % _directories.Count];
        byte[] name = Encoding.UTF8.GetBytes($"file-{n}.txt");
        var id = new ObjectId(Fresh());
        var version = new NewVersion(new VersionId(Fresh()), 4096, 4096, default, new byte[120]);
        Apply(_edits.CreateFile(parent, name, new NewObject(id, 0x1A4, 0, 0, default), version).Value);
        _files.Add((parent, name, id));
        if (n % Batch == 0)
        {
            _fold.Prune(_fold.Positions);
        }
    }

    [Benchmark]
    public bool Lookup()
    {
        (ObjectId parent, byte[] name, _) = _files[_next = (_next + 7919) % Files];
        return _queries.Lookup(parent, name) is not null;
    }

    [Benchmark]
    public long Get() => _queries.Get(_files[_next = (_next + 7919) % Files].Id)!.SizeBytes;

    /// <summary>A thousand transactions of another member, in one batch, into an empty tree.</summary>
    [Benchmark(OperationsPerInvoke = Batch)]
    public int Receive() => new OrderedFold(new MemoryTable(), new TreeApplier()).Receive(_foreign).Applied;

    private void MakeForeign()
    {
        var other = new OrderedFold(new MemoryTable(), new TreeApplier());
        var edits = new TreeEdits(new TreeQueries(other.Table), Fresh);
        _foreign = new Transaction[Batch];
        for (int i = 0; i < Batch; i++)
        {
            var made = new NewObject(new ObjectId(Fresh()), 0x1A4, 0, 0, default);
            var version = new NewVersion(new VersionId(Fresh()), 4096, 4096, default, new byte[120]);
            _foreign[i] = other.Author(
                _log, default, edits.CreateFile(default, Encoding.UTF8.GetBytes($"f{i}"), made, version).Value);
            other.ApplyLocal(_foreign[i]);
        }
    }

    private void Apply(System.Collections.Immutable.ImmutableArray<Primitive> primitives) =>
        _fold.ApplyLocal(_fold.Author(_log, default, primitives));

    private Bytes16 Fresh()
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        _random.Fill(bytes);
        return new Bytes16(bytes);
    }
}
