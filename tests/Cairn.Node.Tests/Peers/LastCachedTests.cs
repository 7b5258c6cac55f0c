using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Peers;

/// <summary>A copy in a cache that is the last one of what somebody needs.</summary>
/// <remarks>Seven nodes and four copies: of most chunks a given node holds none by itself.</remarks>
public sealed class LastCachedTests
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
