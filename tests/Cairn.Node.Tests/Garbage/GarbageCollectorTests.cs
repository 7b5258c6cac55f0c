using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Node.Garbage;
using Cairn.Node.Tests.Logs;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;
using Cairn.Storage.Ports;

namespace Cairn.Node.Tests.Garbage;

public sealed class GarbageCollectorTests
{
    private static readonly GarbageOptions Small = new() { Keep = Retention.None, AddressesMax = 8 };

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly List<GarbageNode> _nodes = [];

    [Fact]
    public void Alone_DeletedAndSupersededChunksGo_SharedOnesStay()
    {
        GarbageNode node = Node();
        ChunkRef[] chunks = [.. Enumerable.Range(0, 4).Select(i => GarbageNode.Chunk(i, node))];
        node.Create("a", chunks[0], chunks[1]);
        node.Create("b", chunks[1], chunks[2]);
        node.Unlink("a");
        node.Overwrite("b", chunks[1], chunks[3]);
        GarbageNode.Settle(_nodes);
        Assert.Equal([false, true, false, true], chunks.Select(node.Has));
        Assert.Empty(node.Queries.Condemned());
        Assert.Empty(node.Queries.DetachedObjects());
        Assert.Empty(node.Queries.SupersededVersions());
        Assert.Equal(10_000, node.Collector.CollectedBytes);
        Assert.False(node.Round());
    }

    [Fact]
    public void SpaceThatGetsShort_GivesThePastBack_ThoughNothingElseHappens()
    {
        GarbageNode node = new(
            _scheduler, 1, _members, _nodes, options: new GarbageOptions { Keep = Retention.Forever });
        ChunkRef[] chunks = [.. Enumerable.Range(0, 2).Select(i => GarbageNode.Chunk(i, node))];
        node.Create("a", chunks[0]);
        node.Overwrite("a", chunks[1]);
        Assert.True(node.Node.Log.Seal().IsOk);
        node.Collector.Start(node.Node.Process);
        Pass(node, TimeSpan.FromMinutes(10));
        Assert.Equal([true, true], chunks.Select(node.Has));
        node.IsSpaceShort = true;
        Pass(node, TimeSpan.FromMinutes(2));
        Assert.Equal([false, true], chunks.Select(node.Has));
    }

    private void Pass(GarbageNode node, TimeSpan time)
    {
        for (TimeSpan end = _scheduler.Now + time; _scheduler.Now < end;)
        {
            _scheduler.RunFor(TimeSpan.FromSeconds(10));
            Assert.True(node.Node.Log.Seal().IsOk);
        }
    }

    [Fact]
    public void Together_NothingGoesBeforeEverybodyHasSeenTheDeletion()
    {
        GarbageNode a = Node();
        GarbageNode b = Node();
        ChunkRef chunk = GarbageNode.Chunk(1, a, b);
        a.Create("f", chunk);
        GarbageNode.Exchange(_nodes);
        a.Unlink("f");
        Assert.False(a.Round() || b.Round());
        Assert.True(a.Has(chunk) && b.Has(chunk));
        GarbageNode.Settle(_nodes);
        Assert.False(a.Has(chunk) || b.Has(chunk));
        Assert.Equal(a.Node.TableText(), b.Node.TableText());
        Assert.Empty(a.Queries.Condemned());
    }

    /// <summary>The others would take its copy for the last one, and bring it back.</summary>
    [Fact]
    public void WhatTheDiskDoesNotLetBeRemoved_IsNotSaidToBeGone()
    {
        GarbageNode a = Node();
        GarbageNode b = Node();
        ChunkRef chunk = GarbageNode.Chunk(1, a, b);
        a.Create("f", chunk);
        GarbageNode.Exchange(_nodes);
        a.Unlink("f");
        b.Node.Disk.Faults.Fail = static (path, operation) =>
            operation == DiskOperation.Write && path.StartsWith("packs/", StringComparison.Ordinal)
                ? DiskErrorKind.InputOutput : null;
        GarbageNode.Settle(_nodes);
        Assert.True(b.Has(chunk));
        Assert.NotEmpty(a.Queries.Condemned());

        b.Node.Disk.Faults.Fail = null;
        GarbageNode.Settle(_nodes);
        Assert.False(a.Has(chunk) || b.Has(chunk));
        Assert.Empty(a.Queries.Condemned());
    }

    /// <summary>As of a file of 17 GiB, whose chunks do not fit a transaction.</summary>
    [Fact]
    public void AFileOfMoreChunksThanACondemnationNames_GoesInParts_AndHoldsNothingUp()
    {
        GarbageNode a = Node(Small);
        GarbageNode b = Node(Small);
        ChunkRef[] large = [.. Enumerable.Range(0, 30).Select(i => GarbageNode.Chunk(i, a, b))];
        ChunkRef[] small = [.. Enumerable.Range(100, 30).Select(i => GarbageNode.Chunk(i, a, b))];
        a.Create("large", large);
        for (int i = 0; i < small.Length; i++)
        {
            a.Create($"small {i}", small[i]);
        }

        GarbageNode.Exchange(_nodes);
        b.Open.Add(GarbageNode.Root(large[3], large[21]));
        a.Unlink("large");
        for (int i = 0; i < small.Length; i++)
        {
            a.Unlink($"small {i}");
        }

        for (int turn = 0; turn < 40; turn++)
        {
            GarbageNode.Exchange(_nodes);
            _nodes.ForEach(static node => node.Round());
        }

        GarbageNode.Settle(_nodes);
        Assert.Equal([large[3], large[21]], large.Concat(small).Where(a.Has));
        Assert.Empty(a.Queries.Condemned());
    }

    [Fact]
    public void AMemberThatIsAway_KeepsTheChunksAlive()
    {
        GarbageNode a = Node();
        GarbageNode b = Node();
        GarbageNode away = Node();
        ChunkRef chunk = GarbageNode.Chunk(1, a, b, away);
        a.Create("f", chunk);
        GarbageNode.Exchange(_nodes);
        a.Unlink("f");
        GarbageNode.Exchange(_nodes);
        for (int turn = 0; turn < 5; turn++)
        {
            a.Round();
            b.Round();
            GarbageNode.Exchange([a, b]);
        }

        Assert.True(a.Has(chunk) && b.Has(chunk));
        GarbageNode.Settle(_nodes);
        Assert.False(a.Has(chunk) || b.Has(chunk) || away.Has(chunk));
        Assert.False(a.Collector.Condemned.Contains(chunk.Address));
    }

    /// <summary>What it made where the tree has forgotten the folder is in no tree before it is made again.</summary>
    [Fact]
    public void AMemberThatIsNotUpToDateYet_AgreesToNothing()
    {
        GarbageNode a = Node();
        GarbageNode back = Node();
        ChunkRef chunk = GarbageNode.Chunk(1, a, back);
        a.Create("f", chunk);
        GarbageNode.Exchange(_nodes);
        a.Unlink("f");
        back.IsReturning = true;
        GarbageNode.Settle(_nodes);
        Assert.True(a.Has(chunk) && back.Has(chunk));
        back.IsReturning = false;
        GarbageNode.Settle(_nodes);
        Assert.False(a.Has(chunk) || back.Has(chunk));
    }

    /// <summary>What is missing may come to light in the middle of a look, in a part of the tree that it is past.</summary>
    [Fact]
    public void WhoLearnsInTheMiddleOfALook_ThatItIsNotUpToDate_AgreesToNothing()
    {
        GarbageNode[] both = [Node(), Node()];
        (GarbageNode a, GarbageNode back) = (both.MinBy(IdOf)!, both.MaxBy(IdOf)!);
        ChunkRef list = GarbageNode.Chunk(1, a, back);
        ChunkRef chunk = GarbageNode.Chunk(2, a, back);
        a.CreateLarge("large", list, Manifest.Of([]));
        a.Create("f", chunk);
        GarbageNode.Exchange(_nodes);
        (a.ReadList, back.ReadList) = (static () => Manifest.Of([]), static () => Manifest.Of([]));
        a.Unlink("f");
        GarbageNode.Exchange(_nodes);
        Assert.True(a.Round() && a.Collector.Condemned.Contains(chunk.Address));
        GarbageNode.Exchange(_nodes);
        back.Reading = TimeSpan.FromSeconds(10);
        Task<bool> round = back.Node.Process.Run(() => back.Collector.Round(CancellationToken.None));
        _scheduler.RunFor(TimeSpan.FromSeconds(5));
        back.IsReturning = true;
        Assert.False(_scheduler.Complete(round, TimeSpan.FromMinutes(1)));
        GarbageNode.Settle(_nodes);
        Assert.True(a.Has(chunk) && back.Has(chunk));
        back.IsReturning = false;
        GarbageNode.Settle(_nodes);
        Assert.False(a.Has(chunk) || back.Has(chunk));
    }

    private static NodeId IdOf(GarbageNode node) => node.Node.Identity.Node;

    [Fact]
    public void AnOpenFile_RescuesItsChunks()
    {
        GarbageNode a = Node();
        GarbageNode b = Node();
        ChunkRef kept = GarbageNode.Chunk(1, a, b);
        ChunkRef gone = GarbageNode.Chunk(2, a, b);
        a.Create("f", kept);
        a.Create("g", gone);
        GarbageNode.Exchange(_nodes);
        b.Open.Add(GarbageNode.Root(kept));
        a.Unlink("f");
        a.Unlink("g");
        GarbageNode.Settle(_nodes);
        Assert.True(a.Has(kept) && b.Has(kept));
        Assert.False(a.Has(gone) || b.Has(gone));
    }

    [Fact]
    public void AForgedAcknowledgement_TakesNothingAway()
    {
        GarbageNode a = Node();
        GarbageNode victim = Node();
        GarbageNode forger = Node();
        ChunkRef needed = GarbageNode.Chunk(1, a, victim, forger);
        a.Create("f", needed);
        GarbageNode.Exchange(_nodes);
        victim.Open.Add(GarbageNode.Root(needed));
        a.Unlink("f");
        GarbageNode.Exchange(_nodes);
        forger.Round();
        a.Round();
        GarbageNode.Exchange([a, forger]);
        forger.Round();

        // The victim is away and has rescued nothing; the forger, who cannot sign for it, says in its own log that it agreed.
        TransactionId[] condemned = [.. forger.Queries.Condemned().Select(list => list.By)];
        Assert.NotEmpty(condemned);
        NodeId name = victim.Node.Identity.Node;
        forger.Write(
            new CreateObject(MarkPlace.Of(name), TreeKind.File, 0, 0, 0, 0, default, default),
            new GarbageMark(condemned, condemned).ToPrimitive(name));
        for (int turn = 0; turn < 5; turn++)
        {
            GarbageNode.Exchange([a, forger]);
            a.Round();
            forger.Round();
        }

        Assert.True(a.Has(needed) && forger.Has(needed));
        GarbageNode.Settle(_nodes);
        Assert.True(a.Has(needed) && victim.Has(needed));
    }

    [Fact]
    public void WhoOnlyReads_CondemnsNothing_AndTakesPart()
    {
        GarbageNode[] nodes = [Node(), Node(), Node()];
        GarbageNode first = nodes.MinBy(node => node.Node.Identity.Node)!;
        GarbageNode other = nodes.First(node => node != first);
        ChunkRef kept = GarbageNode.Chunk(1, nodes);
        ChunkRef gone = GarbageNode.Chunk(2, nodes);
        other.Create("f", kept);
        other.Create("g", gone);
        MemberLimit limit = new(false, LogPositions.Empty);
        _members.Rights = new WriteRights([new(first.Node.Identity.Node, [limit])]);
        Assert.All(nodes, node => node.Node.Log.Reconsider());
        GarbageNode.Exchange(_nodes);
        first.Open.Add(GarbageNode.Root(kept));
        other.Unlink("f");
        other.Unlink("g");
        GarbageNode.Settle(_nodes);
        Assert.All(nodes, node => Assert.True(node.Has(kept) && !node.Has(gone)));
        Assert.Equal(0, first.Queries.RefusedOf(first.Node.Identity.Node));
    }

    [Fact]
    public void AnOwnOpenFile_IsNotCondemned()
    {
        GarbageNode a = Node();
        ChunkRef chunk = GarbageNode.Chunk(1, a);
        a.Create("f", chunk);
        a.Open.Add(GarbageNode.Root(chunk));
        a.Unlink("f");
        GarbageNode.Settle(_nodes);
        Assert.True(a.Has(chunk));
        a.Open.Clear();
        GarbageNode.Settle(_nodes);
        Assert.False(a.Has(chunk));
    }

    [Fact]
    public void AVersionThatTakesACondemnedChunkUpAgain_RescuesIt()
    {
        GarbageNode a = Node();
        GarbageNode b = Node();
        ChunkRef chunk = GarbageNode.Chunk(1, a, b);
        a.Create("f", chunk);
        GarbageNode.Exchange(_nodes);
        a.Unlink("f");
        GarbageNode.Exchange(_nodes);
        Assert.True(a.Round() | b.Round());
        GarbageNode.Exchange(_nodes);
        Assert.True(b.Collector.Condemned.Contains(chunk.Address));
        b.Create("again", chunk);
        GarbageNode.Settle(_nodes);
        Assert.True(a.Has(chunk) && b.Has(chunk));
        b.Unlink("again");
        GarbageNode.Settle(_nodes);
        Assert.False(a.Has(chunk) || b.Has(chunk));
    }

    [Fact]
    public void RandomHistories_KeepWhatIsReferredToAndCollectTheRest()
    {
        for (ulong seed = 1; seed <= 8; seed++)
        {
            RandomHistory(new Prng(seed));
        }
    }

    [Fact]
    public void Mark_RoundTripsAndRefusesNonsense()
    {
        var id = new TransactionId(new LogId(Node().Node.Identity.Node, 3), 70_000);
        byte[] bytes = new GarbageMark([id], [id, id with { Seq = 70_001 }]).ToPrimitive(id.Log.Author).Rule.ToArray();
        GarbageMark read = GarbageMark.Decode(bytes)!;
        Assert.Equal([id], read.Acknowledged);
        Assert.Equal(2, read.CarriedOut.Count);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Null(GarbageMark.Decode(bytes.AsSpan(0, length)));
        }
    }

    private void RandomHistory(Prng random)
    {
        _nodes.Clear();
        GarbageNode[] nodes = [Node(), Node(), Node()];
        ChunkRef[] chunks = [.. Enumerable.Range(0, 12).Select(i => GarbageNode.Chunk(i, nodes))];
        var used = new HashSet<ChunkRef>();
        for (int step = 0; step < 80; step++)
        {
            GarbageNode node = nodes[random.Next(3)];
            string[] names = node.Node.Names();
            ChunkRef chunk = chunks[random.Next(12)];
            string? name = names.Length == 0 ? null : names[random.Next(names.Length)];
            switch (random.Next(6))
            {
                case 0 when name is not null:
                    node.Unlink(name);
                    break;
                case 1 when name is not null:
                    Take(node, chunk);
                    used.Add(chunk);
                    node.Overwrite(name, chunk);
                    break;
                case 2:
                    nodes[random.Next(3)].Round();
                    break;
                case 3:
                    GarbageNode.Exchange([nodes[random.Next(3)], node]);
                    break;
                default:
                    Take(node, chunk);
                    used.Add(chunk);
                    node.Create($"n{step}", chunk);
                    break;
            }
        }

        GarbageNode.Settle(nodes);
        HashSet<ChunkAddress> live = [.. nodes[0].Node.Names().SelectMany(name => nodes[0].View(name).Heads)
            .SelectMany(head => ManifestRootCodec.Decode(head.Manifest.Span).Value.DirectChunks()).Select(c => c.Address)];
        foreach (ChunkRef chunk in chunks.Where(used.Contains))
        {
            bool isLive = live.Contains(chunk.Address);
            Assert.True(!isLive || nodes.Any(node => node.Has(chunk)), $"{chunk} is referred to and gone everywhere");
            Assert.True(isLive || !nodes.Any(node => node.Has(chunk)), $"{chunk} is nobody's and still there");
        }
    }

    /// <summary>What publishing does: the writer holds every chunk of what it writes.</summary>
    private static void Take(GarbageNode node, ChunkRef chunk)
    {
        for (int i = 0; i < 12 && !node.Has(chunk); i++)
        {
            if (GarbageNode.Chunk(i).Address == chunk.Address)
            {
                GarbageNode.Chunk(i, node);
            }
        }
    }

    private GarbageNode Node(GarbageOptions? options = null) =>
        new(_scheduler, (_nodes.Count * 1000) + 1, _members, _nodes, options: options);
}
