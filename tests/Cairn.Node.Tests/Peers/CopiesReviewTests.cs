using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Peers;

/// <summary>What repair cannot see: a copy in a cache that is the last one of what somebody needs, and no copy at all.</summary>
/// <remarks>Seven nodes and four copies: of most chunks a given node holds none by itself.</remarks>
public sealed class CopiesReviewTests
{
    private const int FileBytes = 900_000;
    private const int Files = 6;

    /// <summary>
    /// Found by `cairn simulate --faults laptops,partition,crash,forget --seed 95001`: it stayed in the cache of one machine.
    /// </summary>
    [Fact]
    public void What_a_forgotten_member_edited_in_its_cache_and_the_others_collected_has_all_its_copies_again()
    {
        PoolBench bench = PoolBench.WithDrives(7, 41);
        (BenchNode first, BenchNode away) = (bench.Nodes[0], bench.Nodes[6]);
        BenchNode[] others = [.. bench.Nodes.Where(node => node != away)];
        string[] names = [.. Enumerable.Range(0, Files).Select(i => $"f{i}"), "removed"];
        Assert.All(names, name => Assert.True(bench.Put(first, name, bench.Bytes(FileBytes)).IsOk));
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Status().Owed.SendChunks == 0), "all is copied");
        bench.Until(() => names.All(name => bench.Get(away, name) is not null), "it has read all");
        SortedSet<ChunkAddress> cached = Cached(away);
        Assert.NotEmpty(cached);

        CutOff(bench, away, others);
        byte[] edit = bench.Bytes(4096);
        Assert.All(names[..Files], name => Assert.True(Edit(bench, away, name, edit)));
        bench.Until(() => !SafetyOf(bench, away).HasUnpublishedWrites, "it has published");
        byte[][] edited = [.. names[..Files].Select(name => bench.Get(away, name)!)];
        Assert.All(names, name => Assert.True(bench.Delete(first, name)));
        Assert.True(bench.Do(first, () => Task.FromResult(first.Drive.History!.EmptyTrash())).IsOk);
        bench.Until(() => others.All(node => node.Chunks.Count == 0), "the others collect without it");

        bench.Network.HealAll();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.RoleOf(away) != "forgotten"), "it belongs again");
        bench.Until(() => SafetyOf(bench, first).CopiesConfirmed == 4, "all that it edited has four copies");
        away.Kill();
        bench.Until(() => others.All(node => node.Connected == others.Length - 1), "it is gone again");
        bench.Until(
            () => edited.Index().All(file => bench.Get(first, $"f{file.Index}")?.SequenceEqual(file.Item) == true),
            "the others have it");
        Assert.Null(bench.Get(first, "removed"));
        Assert.Equal(SafetyOf(bench, first).Chunks, others.SelectMany(node => node.Chunks).Distinct().Count());
        bench.AssertNoFailures();
    }

    /// <summary>
    /// Found by `cairn simulate --faults laptops,partition,crash,forget --seed 91006`: a pin waited for ever, and nobody was told.
    /// </summary>
    [Fact]
    public void What_a_forgotten_member_wrote_around_bytes_that_are_nowhere_is_there_and_the_rest_is_named_to_all()
    {
        PoolBench bench = PoolBench.WithDrives(7, 42);
        (BenchNode first, BenchNode away) = (bench.Nodes[0], bench.Nodes[6]);
        BenchNode[] others = [.. bench.Nodes.Where(node => node != away)];
        first.Kill();
        first.Options = first.Options with { ReadWait = TimeSpan.FromHours(1) };
        first.Start();
        bench.Until(() => first.Connected == others.Length && first.FindDrive() is not null, "reads wait on one");
        (string name, SortedSet<ChunkAddress> parts) = PutElsewhere(bench, away);
        CutOff(bench, away, others);
        byte[] edit = bench.Bytes(4096);
        Assert.True(Edit(bench, away, name, edit));
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.True(bench.Delete(first, name));
        Assert.True(bench.Do(first, () => Task.FromResult(first.Drive.History!.EmptyTrash())).IsOk);
        bench.Until(
            () => !others.Any(node => parts.Any(part => node.Stores!.Chunks.Contains(RecordKey.Copy(part)))),
            "the others collect without it");
        bench.Network.HealAll();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.RoleOf(away) != "forgotten"), "it belongs again");

        bench.Until(
            () => Lost(away) is not null && others.Count(node => Lost(node) is not null) >= 3, "it is named unread");
        Assert.Contains($"shared/{name} (bytes 4096-899999 of 900000)", Lost(away), StringComparison.Ordinal);
        bench.Until(
            () => bench.Nodes.TrueForAll(node => Part(bench, node, name, 0)?.SequenceEqual(edit) == true), "its bytes");
        TimeSpan began = bench.Scheduler.Now;
        Assert.All(bench.Nodes, node => Assert.Null(Part(bench, node, name, 8192)));
        Assert.InRange(bench.Scheduler.Now - began, TimeSpan.Zero, TimeSpan.FromMinutes(1));

        bench.Ok(first, () => first.Node.Pin("shared", 0, default).AsTask());
        bench.Until(() => PinOf(bench, first) == PinState.Lacking, "nothing is waited for");
        string lost = Assert.Single(SafetyOf(bench, first).Lost);
        Assert.StartsWith($"shared/{name} (bytes 4096-", lost, StringComparison.Ordinal);
        Assert.Contains("does not become safe", WaitSafe(bench, first, "shared"), StringComparison.Ordinal);
        Assert.Equal("it is safe", WaitSafe(bench, first, null));
        bench.Until(() => first.Status().Verdict.StartsWith("1 chunk lost", StringComparison.Ordinal), "it is told");

        Assert.True(bench.Delete(first, name));
        bench.Until(() => PinOf(bench, first) == PinState.Kept, "nobody wants it any more");
        TimeSpan patience = TimeSpan.FromMinutes(15);
        bench.Until(() => bench.Nodes.TrueForAll(node => Lost(node) is null), "nobody is told", patience);
        bench.AssertNoFailures();
    }

    /// <summary>A file of which a node has nothing.</summary>
    private static (string Name, SortedSet<ChunkAddress> Parts) PutElsewhere(PoolBench bench, BenchNode node)
    {
        for (int i = 0; ; i++)
        {
            string name = $"f{i}";
            SortedSet<ChunkAddress> before = [.. bench.Nodes.SelectMany(one => one.Chunks)];
            Assert.True(bench.Put(bench.Nodes[0], name, bench.Bytes(FileBytes)).IsOk);
            bench.Until(() => bench.Nodes.TrueForAll(one => one.Status().Owed.SendChunks == 0), "it is copied");
            bench.Until(() => Sees(node, name), "it is seen");
            SafetyReport safety = bench.Ok(
                bench.Nodes[0], () => bench.Nodes[0].Node.Safe($"shared/{name}", default).AsTask());
            if (safety.Holders.Single(holder => holder.Node == node.Id).Chunks == 0)
            {
                return (name, [.. bench.Nodes.SelectMany(one => one.Chunks).Except(before)]);
            }
        }
    }

    private static bool Sees(BenchNode node, string name) =>
        node.Drive.Resolve(name).AsTask().GetAwaiter().GetResult() is { IsOk: true, Value.SizeBytes: FileBytes };

    private static string? Lost(BenchNode node) =>
        node.Status().Problems.Where(problem => problem.Code == "damage").Select(problem => problem.Message)
            .FirstOrDefault();

    private static PinState? PinOf(PoolBench bench, BenchNode node) =>
        bench.Do(node, () => node.Node.Pins(default).AsTask()) is [var pin] ? pin.State : null;

    private static string WaitSafe(PoolBench bench, BenchNode node, string? path) => bench.Do(node, async () =>
    {
        await foreach (Result<SafetyProgress, ControlError> step in node.Node.WaitSafe(path, default))
        {
            if (!step.IsOk)
            {
                return step.Error.Message;
            }
        }

        return "it is safe";
    });

    /// <summary>So many bytes as an edit has; null when they cannot be read.</summary>
    private static byte[]? Part(PoolBench bench, BenchNode node, string name, long offset) => bench.Do(node, async () =>
    {
        if (!(await node.Drive.Resolve(name)).TryGet(out ObjectAttributes found, out _))
        {
            return null;
        }

        OpenedFile opened = (await node.Drive.Open(found.Inode, OpenIntent.Read, Caller.Daemon)).Value;
        byte[] bytes = new byte[4096];
        Result<int, VolumeError> read = await node.Drive.Read(opened.Handle, offset, bytes);
        await node.Drive.Release(opened.Handle);
        return read.IsOk && read.Value == bytes.Length ? bytes : null;
    });

    private static SafetyReport SafetyOf(PoolBench bench, BenchNode node) =>
        bench.Ok(node, () => node.Node.Safe("shared", default).AsTask());

    private static SortedSet<ChunkAddress> Cached(BenchNode node) =>
        [.. node.Stores!.Chunks.Enumerate(ChunkUse.Cached).Select(record => record.Key.Address)];

    private static void CutOff(PoolBench bench, BenchNode away, BenchNode[] others)
    {
        Array.ForEach(others, node => bench.Network.Cut(away.Address, node.Address));
        bench.Until(() => away.Connected == 0 && others[0].Connected == others.Length - 1, "it is cut off");
        bench.Ok(others[0], () => others[0].Node.ForgetNode(away.Options.Name, default).AsTask());
    }

    /// <summary>Writes over the first bytes of a file, without reading the rest.</summary>
    private static bool Edit(PoolBench bench, BenchNode node, string name, byte[] bytes) =>
        bench.Do(node, async () =>
        {
            InodeNumber inode = (await node.Drive.Resolve(name)).Value.Inode;
            OpenedFile opened = (await node.Drive.Open(inode, OpenIntent.Write, Caller.Daemon)).Value;
            bool isOk = (await node.Drive.Write(opened.Handle, 0, bytes)).IsOk;
            await node.Drive.Release(opened.Handle);
            return isOk;
        });
}
