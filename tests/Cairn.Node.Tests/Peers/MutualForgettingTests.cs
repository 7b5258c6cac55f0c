using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Storage.Home;

namespace Cairn.Node.Tests.Peers;

/// <summary>
/// Two parts of a pool that were cut apart, each with an admin that forgot the other: where they meet, the word of one has no effect
/// any more, and yet that part has collected without the other.
/// </summary>
public sealed class MutualForgettingTests
{
    private const int FileBytes = 100_000;
    private const int DeepFiles = 30;

    /// <summary>
    /// Each part edits what the other removed and collected, makes a file in a folder of that kind, and takes its chunks up.
    /// </summary>
    [Theory]
    [InlineData(501, 2)]
    [InlineData(502, 2)]
    [InlineData(503, 1)]
    public void What_both_wrote_apart_is_there_and_what_either_collected_is_gone(ulong seed, int each)
    {
        PoolBench bench = PoolBench.WithDrives(2 * each, seed);
        Part[] parts = Prepare(bench);
        SortedSet<ChunkAddress> old = bench.Nodes[0].Chunks;
        WorkApart(bench, parts);
        Array.ForEach(parts, part => old.ExceptWith(part.TakenUp));

        bench.Network.HealAll();
        AssertNothingLost(bench, parts);
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        Assert.All(bench.Nodes, node => Assert.Empty(node.Chunks.Intersect(old)));
        Assert.All(bench.Nodes, node => Assert.Equal("online", node.Status().State));
        bench.AssertNoFailures();
    }

    /// <summary>Killed at any moment of its return, each does the same in the end.</summary>
    [Theory]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    public void Killed_where_they_meet_they_lose_nothing(ulong seed)
    {
        PoolBench bench = PoolBench.WithDrives(4, seed);
        Part[] parts = Prepare(bench);
        WorkApart(bench, parts);
        bench.Network.HealAll();
        for (int life = 0; life < 12; life++)
        {
            bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(bench.Random.Next(4000)));
            BenchNode one = bench.Nodes[bench.Random.Next(4)];
            one.Kill(bench.Random.Next(2) == 0 ? CrashKind.ProcessKilled : CrashKind.PowerLost);
            one.Start();
        }

        AssertNothingLost(bench, parts);
        bench.AssertNoFailures();
    }

    /// <summary>The editors come when all is settled among the others: their copies are still where they count on them.</summary>
    [Fact]
    public void Who_was_off_when_the_others_met_loses_nothing()
    {
        PoolBench bench = PoolBench.WithDrives(6, 521);
        Part[] parts = Prepare(bench);
        WorkApart(bench, parts);
        BenchNode[] others = [.. parts.SelectMany(static part => part.Nodes.Skip(1))];
        Array.ForEach(parts, static part => part.First.Kill());
        bench.Network.HealAll();
        bench.Until(
            () => Array.TrueForAll(
                others, node => Array.TrueForAll(others, other => node.RoleOf(other) != "forgotten")),
            "the others belong");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        Array.ForEach(parts, static part => part.First.Start());
        AssertNothingLost(bench, parts);
        bench.AssertNoFailures();
    }

    /// <summary>
    /// The others are gone for good, and what was made good is not known any more, or never was: an older program did not note it.
    /// </summary>
    [Theory]
    [InlineData(531, new byte[0])]
    [InlineData(532, new byte[] { 1, 1, 7, 7 })]
    [InlineData(533, new byte[] { 1, 255, 255, 255, 255, 15 })]
    public void Who_is_alone_at_last_waits_for_nobody_with_what_was_forgotten(ulong seed, byte[] noted)
    {
        PoolBench bench = PoolBench.WithDrives(2, seed);
        (BenchNode left, BenchNode gone) = (bench.Nodes[0], bench.Nodes[1]);
        bench.Network.Cut(left.Address, gone.Address);
        bench.Until(() => gone.Connected == 0, "cut in two");
        bench.Ok(gone, () => gone.Node.ForgetNode("node0", default).AsTask());
        bench.Network.HealAll();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.RoleOf(left) != "forgotten"), "it belongs again");
        bench.Until(() => left.Disk.Files.Contains("returned"), "it noted that");
        gone.Kill();
        bench.Until(() => left.Connected == 0, "it is alone");
        bench.Ok(left, () => left.Node.ForgetNode("node1", default).AsTask());
        left.Kill();
        Assert.True(
            noted.Length == 0
                ? left.Disk.Delete("returned").IsOk
                : SmallFile.Write(left.Disk, "returned", noted).IsOk);
        left.Start();
        bench.Until(() => left.FindDrive() is not null, "its drive is open");
        Assert.True(bench.Put(left, "removed", bench.Bytes(FileBytes)).IsOk);
        bench.Until(() => left.Chunks.Count > 0, "it is stored");
        Assert.True(bench.Delete(left, "removed"));
        Assert.True(bench.Do(left, () => Task.FromResult(left.Drive.History!.EmptyTrash())).IsOk);
        bench.Until(() => left.Chunks.Count == 0, "it is collected");

        // Who comes back nevertheless is met then.
        gone.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => node.RoleOf(gone) != "forgotten"), "both belong again");
        bench.AssertNoFailures();
    }

    private static Part[] Prepare(PoolBench bench)
    {
        int half = bench.Nodes.Count / 2;
        Part[] parts = [new Part(0, bench.Nodes[..half]), new Part(1, bench.Nodes[half..])];
        foreach (Part part in parts)
        {
            Assert.True(bench.Do(part.First, async () => (await part.First.Drive.MakeDirectory(
                InodeNumber.Root, System.Text.Encoding.UTF8.GetBytes(part.Folder), 0x1ED, Caller.Daemon)).IsOk));
            Assert.True(bench.Put(part.First, part.Edited, bench.Bytes(FileBytes)).IsOk);
            SortedSet<ChunkAddress> before = CopiesEverywhere(bench);
            Assert.True(bench.Put(part.First, part.Removed, part.Again = bench.Bytes(FileBytes)).IsOk);
            part.TakenUp = [.. CopiesEverywhere(bench).Except(before)];
        }

        bench.Until(
            () => bench.Nodes.TrueForAll(node => parts.All(part => bench.Get(node, part.Removed) is not null)),
            "the files are there");
        return parts;
    }

    /// <summary>What there are copies of, once each is where it should be: with all, of few nodes.</summary>
    private static SortedSet<ChunkAddress> CopiesEverywhere(PoolBench bench)
    {
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        SortedSet<ChunkAddress> all = [.. bench.Nodes.SelectMany(static node => node.Chunks)];
        int copies = Math.Min(3, bench.Nodes.Count);
        bench.Until(
            () => all.All(chunk => bench.Nodes.Count(node => node.Holds(chunk)) >= copies), "there are enough copies");
        return all;
    }

    private static void WorkApart(PoolBench bench, Part[] parts)
    {
        foreach (BenchNode one in parts[0].Nodes)
        {
            parts[1].Nodes.ForEach(other => bench.Network.Cut(one.Address, other.Address));
        }

        bench.Until(
            () => parts.All(part => part.Nodes.TrueForAll(node => node.Connected == part.Nodes.Count - 1)),
            "cut in two");
        foreach (Part part in parts)
        {
            Part other = parts[1 - part.Index];
            other.Nodes.ForEach(node => bench.Ok(
                part.First, () => part.First.Node.ForgetNode(node.Options.Name, default).AsTask()));
            Assert.True(bench.Delete(part.First, other.Edited) && bench.Delete(part.First, part.Removed));
            Assert.True(bench.Do(part.First, async () => (await part.First.Drive.RemoveDirectory(
                InodeNumber.Root, System.Text.Encoding.UTF8.GetBytes(other.Folder), Caller.Daemon)).IsOk));
            Assert.True(bench.Do(part.First, () => Task.FromResult(part.First.Drive.History!.EmptyTrash())).IsOk);
        }

        foreach (Part part in parts)
        {
            bench.Until(
                () => part.Nodes.TrueForAll(node => !node.Chunks.Overlaps(part.TakenUp)), "it is collected");
            for (int i = 0; i < DeepFiles; i++)
            {
                Assert.True(bench.Put(part.First, $"deep {part.Index} {i}", [(byte)i]).IsOk);
            }
        }

        foreach (Part part in parts)
        {
            Part other = parts[1 - part.Index];
            Assert.True(bench.Put(part.First, part.Edited, part.Newer = bench.Bytes(FileBytes)).IsOk);
            Assert.True(bench.Put(part.First, $"{part.Folder}/new", part.Inside = bench.Bytes(FileBytes)).IsOk);
            Assert.True(bench.Put(part.First, $"again {part.Index}", other.Again).IsOk);
        }

        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
    }

    private static void AssertNothingLost(PoolBench bench, Part[] parts)
    {
        bench.Until(
            () => bench.Nodes.TrueForAll(
                node => node.Info().Count(static other => other.Role != "forgotten") == bench.Nodes.Count),
            "all belong");
        foreach (Part part in parts)
        {
            byte[] again = parts[1 - part.Index].Again;
            UntilEverywhere(bench, part.Edited, part.Newer);
            UntilEverywhere(bench, $"{part.Folder}/new", part.Inside);
            UntilEverywhere(bench, $"again {part.Index}", again);
        }
    }

    private static void UntilEverywhere(PoolBench bench, string name, byte[] content) => bench.Until(
        () => bench.Nodes.TrueForAll(
            node => bench.Get(node, name) is { } read && read.AsSpan().SequenceEqual(content)),
        $"{name} is everywhere");

    private sealed class Part(int index, List<BenchNode> nodes)
    {
        public int Index => index;

        public List<BenchNode> Nodes => nodes;

        public BenchNode First => nodes[0];

        /// <summary>This part edits it, the other removes it.</summary>
        public string Edited => $"edited {index}";

        /// <summary>This part removes it, the other writes its content again.</summary>
        public string Removed => $"removed {index}";

        /// <summary>This part makes a file in it, the other removes it.</summary>
        public string Folder => $"folder {index}";

        public byte[] Again { get; set; } = [];

        public byte[] Newer { get; set; } = [];

        public byte[] Inside { get; set; } = [];

        public SortedSet<ChunkAddress> TakenUp { get; set; } = [];
    }
}
