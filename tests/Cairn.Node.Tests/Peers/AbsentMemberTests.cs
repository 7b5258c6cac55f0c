using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;

namespace Cairn.Node.Tests.Peers;

/// <summary>
/// Members that work apart for longer than the horizon, while the others settle a checkpoint without them and drop the history that
/// says what became of what they edit.
/// </summary>
public sealed class AbsentMemberTests
{
    private const int FileBytes = 100_000;

    /// <summary>
    /// It edited what the others removed and collected, and made something in a folder of that kind: all of it is there again, and
    /// what nobody edited stays removed, its copies too.
    /// </summary>
    [Theory]
    [InlineData(401)]
    [InlineData(402)]
    public void What_it_wrote_apart_is_there_though_the_others_dropped_what_it_was_about(ulong seed)
    {
        PoolBench bench = DroppedPool.Of(4, seed, adminsMax: 2);
        (BenchNode[] rest, BenchNode away) = (Rest(bench, 1), bench.Nodes[^1]);
        byte[] newer = bench.Bytes(FileBytes);
        byte[] inside = bench.Bytes(FileBytes);
        PrepareAndCut(bench, rest, [away]);
        SortedSet<ChunkAddress> old = away.Chunks;
        Assert.True(bench.Put(away, "edited", newer).IsOk);
        Assert.True(bench.Put(away, "folder/new", inside).IsOk);
        Assert.True(bench.Put(away, "own", [1]).IsOk);

        RemoveAndDrop(bench, rest);
        Assert.Equal("forgotten", rest[0].RoleOf(away));
        Assert.Superset(old, away.Chunks);
        Assert.All(rest, node => Assert.DoesNotContain(node.Status().Problems, told => told.Code == "history-kept"));

        bench.Network.HealAll();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.RoleOf(away) != "forgotten"), "it belongs again");
        UntilEverywhere(bench, "edited", newer);
        UntilEverywhere(bench, "folder/new", inside);
        UntilEverywhere(bench, "own", [1]);
        Assert.All(bench.Nodes, node => Assert.Null(bench.Get(node, "removed")));
        Assert.All(bench.Nodes, node => Assert.Null(bench.Get(node, "folder/removed")));
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        Assert.All(bench.Nodes, node => Assert.Empty(node.Chunks.Intersect(old)));
        Assert.Empty(Conflicts(bench, rest[0]));
        AssertAlike(bench);
        bench.AssertNoFailures();
    }

    /// <summary>Killed at any moment of its return, it does the same in the end.</summary>
    [Theory]
    [InlineData(411)]
    [InlineData(412)]
    [InlineData(413)]
    [InlineData(414)]
    public void Killed_on_its_way_back_it_loses_nothing(ulong seed)
    {
        PoolBench bench = DroppedPool.Of(4, seed, adminsMax: 2);
        (BenchNode[] rest, BenchNode away) = (Rest(bench, 1), bench.Nodes[^1]);
        byte[] newer = bench.Bytes(FileBytes);
        PrepareAndCut(bench, rest, [away]);
        Assert.True(bench.Put(away, "edited", newer).IsOk);
        Assert.True(bench.Put(away, "folder/new", newer).IsOk);
        RemoveAndDrop(bench, rest);

        bench.Network.HealAll();
        for (int life = 0; life < 6; life++)
        {
            bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(bench.Random.Next(4000)));
            away.Kill(bench.Random.Next(2) == 0 ? CrashKind.ProcessKilled : CrashKind.PowerLost);
            away.Start();
        }

        bench.Until(() => bench.Nodes.TrueForAll(node => node.RoleOf(away) != "forgotten"), "it belongs again");
        UntilEverywhere(bench, "edited", newer);
        UntilEverywhere(bench, "folder/new", newer);
        Assert.Empty(Conflicts(bench, rest[0]));
        AssertAlike(bench);
        bench.AssertNoFailures();
    }

    /// <summary>A full disk takes no table: it is not copied again at every look, is told of once, and nothing is lost.</summary>
    [Fact]
    public void Where_the_disk_is_full_the_table_is_kept_later()
    {
        PoolBench bench = DroppedPool.Of(4, 415, adminsMax: 2);
        (BenchNode[] rest, BenchNode away) = (Rest(bench, 1), bench.Nodes[^1]);
        byte[] newer = bench.Bytes(FileBytes);
        PrepareAndCut(bench, rest, [away]);
        Assert.True(bench.Put(away, "edited", newer).IsOk);
        RemoveAndDrop(bench, rest);
        SimulatedIndex full = new() { WriteFailure = "no space" };
        away.Indexes["kept-" + away.FindVolume("shared")!.Value.Id.Value.ToHex()] = full;
        bench.Network.HealAll();
        bench.Until(() => Told(away) > 0, "it cannot keep its table");
        int tried = full.WritesRefused;
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(10));
        Assert.InRange(full.WritesRefused - tried, 1, 12);
        Assert.Equal(1, Told(away));
        full.WriteFailure = null;
        bench.Until(() => bench.Nodes.TrueForAll(node => node.RoleOf(away) != "forgotten"), "it belongs again");
        UntilEverywhere(bench, "edited", newer);
        bench.AssertNoFailures();

        static int Told(BenchNode node) =>
            node.Lines.Count(static line => line.Contains("cannot be kept yet", StringComparison.Ordinal));
    }

    /// <summary>
    /// Two were away together and met: the one that comes back brings what the other edited, of what is forgotten, too.
    /// </summary>
    [Theory]
    [InlineData(421, false)]
    [InlineData(422, true)]
    public void Of_two_that_met_the_one_that_comes_back_brings_the_work_of_both(ulong seed, bool areBothBack)
    {
        PoolBench bench = DroppedPool.Of(5, seed, adminsMax: 2);
        (BenchNode[] rest, BenchNode one, BenchNode other) = (Rest(bench, 2), bench.Nodes[3], bench.Nodes[4]);
        byte[] newer = bench.Bytes(FileBytes);
        PrepareAndCut(bench, rest, [one, other]);
        Assert.True(bench.Put(other, "edited", newer).IsOk);
        bench.Until(() => Shows(bench, one, "edited", newer), "they met");
        bench.Until(() => one.Chunks.IsSupersetOf(other.Chunks), "and share copies");
        if (!areBothBack)
        {
            other.Kill();
        }

        RemoveAndDrop(bench, rest);
        bench.Network.HealAll();
        BenchNode[] back = areBothBack ? [.. bench.Nodes] : [.. bench.Nodes.Where(node => node != other)];
        bench.Until(() => Array.TrueForAll(back, node => rest[0].RoleOf(node) != "forgotten"), "they belong again");
        bench.Until(
            () => Array.TrueForAll(back, node => Shows(bench, node, "edited", newer)), "its edit is everywhere");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.All(back, node => Assert.Empty(Conflicts(bench, node)));
        bench.AssertNoFailures();
    }

    /// <summary>
    /// Its edit came home with another that it had met, where it has no effect: only its author makes that again, so the history stays
    /// until it is back.
    /// </summary>
    [Fact]
    public void What_another_carried_home_keeps_the_history_until_its_author_is_back()
    {
        PoolBench bench = DroppedPool.Of(5, 431, adminsMax: 2);
        (BenchNode[] rest, BenchNode one, BenchNode other) = (Rest(bench, 2), bench.Nodes[3], bench.Nodes[4]);
        byte[] newer = bench.Bytes(FileBytes);
        PrepareAndCut(bench, rest, [one, other]);
        for (int i = 0; i < 200; i++)
        {
            Assert.True(bench.Put(other, $"deep {i}", [(byte)i]).IsOk);
        }

        Assert.True(bench.Put(other, "edited", newer).IsOk);
        bench.Until(() => Shows(bench, one, "edited", newer), "they met");
        bench.Network.Cut(one.Address, other.Address);
        Forget(bench, rest);
        Remove(bench, rest);
        Array.ForEach(rest, here => bench.Network.Heal(one.Address, here.Address));
        BenchNode[] back = [.. rest, one];
        bench.Until(
            () => rest[0].RoleOf(one) != "forgotten"
                && Array.TrueForAll(back, node => bench.Get(node, "deep 199") is not null),
            "one belongs again");
        Assert.Null(bench.Get(rest[0], "edited"));
        DroppedPool.Fill(bench, back, 3 * DroppedPool.Between);
        bench.Until(
            () => rest[0].Status().Problems.Any(told => told.Code == "history-kept"), "it is said who keeps it",
            TimeSpan.FromHours(1));
        Assert.DoesNotContain(back, DroppedPool.HasDropped);
        bench.Network.HealAll();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.RoleOf(other) != "forgotten"), "it belongs again");
        UntilEverywhere(bench, "edited", newer);

        // Who was on its way back cannot agree to a checkpoint of before: the next one is half a tree away.
        for (int round = 0; round < 4; round++)
        {
            DroppedPool.Fill(bench, bench.Nodes, 3 * DroppedPool.Between);
        }

        DroppedPool.UntilDropped(bench);
        UntilEverywhere(bench, "edited", newer);
        bench.AssertNoFailures();
    }

    private static BenchNode[] Rest(PoolBench bench, int away) => [.. bench.Nodes.SkipLast(away)];

    private static void PrepareAndCut(PoolBench bench, BenchNode[] rest, BenchNode[] away)
    {
        BenchNode first = rest[0];
        bench.Do(first, async () => await first.Drive.MakeDirectory(
            InodeNumber.Root, "folder"u8.ToArray(), 0x1ED, Caller.Daemon));
        foreach (string name in new[] { "removed", "edited", "folder/removed" })
        {
            Assert.True(bench.Put(first, name, bench.Bytes(FileBytes)).IsOk);
        }

        bench.Until(
            () => bench.Nodes.TrueForAll(node => bench.Get(node, "folder/removed") is not null), "the files are there");
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Chunks.Count > 0), "copies are there");
        foreach (BenchNode here in rest)
        {
            Array.ForEach(away, gone => bench.Network.Cut(gone.Address, here.Address));
        }

        bench.Until(
            () => Array.TrueForAll(away, node => node.Connected == away.Length - 1)
                && Array.TrueForAll(rest, node => node.Connected == rest.Length - 1),
            "cut off");
    }

    /// <summary>The others throw away and collect all of it, and go on until they have dropped old blocks.</summary>
    private static void RemoveAndDrop(PoolBench bench, BenchNode[] rest)
    {
        Forget(bench, rest);
        Remove(bench, rest);
        DroppedPool.Fill(bench, rest, 3 * DroppedPool.Between);
        DroppedPool.UntilDropped(bench, rest);
    }

    private static void Forget(PoolBench bench, BenchNode[] rest) => bench.Until(
        () => bench.Nodes.Except(rest).All(node => rest[0].RoleOf(node) == "forgotten"), "they are forgotten",
        TimeSpan.FromHours(1));

    private static void Remove(PoolBench bench, BenchNode[] rest)
    {
        BenchNode first = rest[0];
        Assert.True(bench.Do(first, async () =>
        {
            Result<ObjectAttributes, VolumeError> folder = await first.Drive.Resolve("folder");
            return (await first.Drive.Unlink(folder.Value.Inode, "removed"u8.ToArray(), Caller.Daemon)).IsOk
                && (await first.Drive.RemoveDirectory(InodeNumber.Root, "folder"u8.ToArray(), Caller.Daemon)).IsOk;
        }));
        Assert.True(bench.Delete(first, "removed") && bench.Delete(first, "edited"));
        Assert.True(bench.Do(first, () => Task.FromResult(first.Drive.History!.EmptyTrash())).IsOk);
        bench.Until(() => Array.TrueForAll(rest, node => node.Chunks.Count == 0), "the others collect without them");
    }

    private static void UntilEverywhere(PoolBench bench, string name, byte[] content) =>
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, name, content)), $"{name} is everywhere");

    private static bool Shows(PoolBench bench, BenchNode node, string name, byte[] content) =>
        bench.Get(node, name) is { } read && read.AsSpan().SequenceEqual(content);

    private static void AssertAlike(PoolBench bench) => bench.Until(
        () => bench.Nodes.TrueForAll(node => Names(bench, node).SequenceEqual(Names(bench, bench.Nodes[0]))),
        "all show the same");

    private static string[] Names(PoolBench bench, BenchNode node) => bench.Do(node, async () =>
    {
        IReadOnlyList<DirectoryEntry> entries = (await node.Drive.ReadDirectory(InodeNumber.Root, 0, 1000)).Value;
        return entries.Select(static entry => Encoding.UTF8.GetString(entry.Name.Span)).Order().ToArray();
    });

    private static IReadOnlyList<NameConflict> Conflicts(PoolBench bench, BenchNode node) =>
        bench.Do(node, () => Task.FromResult(node.Drive.History!.Conflicts()));
}
