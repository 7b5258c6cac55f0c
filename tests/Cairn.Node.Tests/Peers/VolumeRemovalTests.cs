using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Peers;

/// <summary>A volume is removed in a pool on virtual time: its space comes back everywhere, and nobody else's with it.</summary>
public sealed class VolumeRemovalTests
{
    private const int FileBytes = 400_000;

    [Fact]
    public void What_it_took_comes_back_once_every_member_has_heard_of_it()
    {
        PoolBench bench = PoolBench.WithDrives(3, 81);
        (BenchNode first, BenchNode second, BenchNode away) = (bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);
        VolumeId removed = first.Drive.Id;
        byte[] kept = MakeOther(bench);
        SortedSet<ChunkAddress> others = ChunksOf(bench);
        Assert.True(bench.Put(first, ".cairnignore", "*.tmp\n"u8.ToArray()).IsOk);
        foreach (BenchNode node in bench.Nodes)
        {
            Assert.True(bench.Put(node, $"by {node.Index}", bench.Bytes(FileBytes)).IsOk);
            Assert.True(bench.Put(node, $"by {node.Index}", bench.Bytes(FileBytes)).IsOk);
            Assert.True(bench.Put(node, $"{node.Index}.tmp", bench.Bytes(FileBytes)).IsOk);
        }

        Assert.True(bench.Do(
            first, () => first.Drive.Snapshots!.Create(InodeNumber.Root, "s"u8.ToArray(), default).AsTask()).IsOk);
        UntilCopied(bench);
        away.Kill();
        bench.Until(() => first.Connected == 1, "one is away");
        SortedSet<ChunkAddress> all = ChunksOf(bench);

        bench.Ok(first, () => first.Node.RemoveVolume("shared", default).AsTask());
        bench.Until(() => first.FindDrive() is null && second.FindDrive() is null, "it is closed");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        Assert.Equal(all, ChunksOf(bench));
        Assert.All([first, second], static node => Assert.Equal(1, RestsOf(node)));

        second.Kill(CrashKind.PowerLost);
        second.Start();
        away.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => IsPurged(node, removed)), "it is purged");
        bench.Until(() => bench.Nodes.TrueForAll(node => IsGone(node, removed)), "nothing is left of its logs");
        Assert.Equal(others, ChunksOf(bench));
        Assert.All(bench.Nodes, node => Assert.Empty(PrivateOf(node)));

        // And it stays so: a start finds nothing to do for it, and nothing wrong.
        first.Kill();
        first.Start();
        bench.Until(() => first.FindDrive("other") is not null, "it is up again");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.True(IsGone(first, removed));
        Assert.All(bench.Nodes, node => Assert.Equal(
            kept, bench.Do(node, () => DriveFiles.Read(node.FindDrive("other")!, "kept"))));
        Assert.DoesNotContain(first.Status().Problems, static problem => problem.Code == "damage");
        bench.AssertNoFailures();
    }

    [Fact]
    public void Whenever_machines_die_meanwhile_it_is_gone_in_the_end()
    {
        PoolBench bench = PoolBench.WithDrives(3, 82);
        BenchNode first = bench.Nodes[0];
        VolumeId removed = first.Drive.Id;
        foreach (BenchNode node in bench.Nodes)
        {
            Assert.True(bench.Put(node, $"by {node.Index}", bench.Bytes(FileBytes)).IsOk);
        }

        UntilCopied(bench);
        bench.Ok(first, () => first.Node.RemoveVolume("shared", default).AsTask());
        for (int life = 0; life < 12; life++)
        {
            bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(500 + bench.Random.Next(8000)));
            BenchNode unlucky = bench.Nodes[bench.Random.Next(3)];
            unlucky.Kill(bench.Random.Chance(2) ? CrashKind.PowerLost : CrashKind.ProcessKilled);
            unlucky.Start();
        }

        bench.Until(() => bench.Nodes.TrueForAll(node => IsGone(node, removed)), "nothing is left of its logs");
        Assert.Empty(ChunksOf(bench));
        bench.AssertNoFailures();
    }

    /// <summary>
    /// A start finds what it wrote in segments that are still there, needed or not; nobody opens it, so nobody would say that they are not.
    /// </summary>
    [Fact]
    public void It_leaves_nothing_in_the_journal()
    {
        PoolBench bench = PoolBench.WithDrives(2, 86);
        BenchNode first = bench.Nodes[0];
        VolumeId removed = first.Drive.Id;
        Assert.True(bench.Put(first, "f", bench.Bytes(FileBytes)).IsOk);
        Assert.True(bench.Put(first, ".cairnignore", "*.tmp\n"u8.ToArray()).IsOk);
        Assert.True(bench.Put(first, "f.tmp", bench.Bytes(FileBytes)).IsOk);
        UntilCopied(bench);
        bench.Ok(first, () => first.Node.RemoveVolume("shared", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => IsGone(node, removed)), "nothing is left of its logs");
        for (int life = 0; life < 4; life++)
        {
            first.Kill();
            first.Start();
            bench.Until(() => first.Connected == 1, "it is up again");
        }

        bench.Until(() => SegmentsOf(first) == 1, "the journal is free");
        bench.AssertNoFailures();
    }

    /// <summary>While one is away the others have it closed; what came late to it is taken in all the same.</summary>
    [Fact]
    public void It_rests_while_one_is_away_and_what_another_wrote_in_it_apart_is_given_back_too()
    {
        PoolBench bench = PoolBench.WithDrives(4, 85);
        (BenchNode first, BenchNode second) = (bench.Nodes[0], bench.Nodes[1]);
        (BenchNode apart, BenchNode away) = (bench.Nodes[2], bench.Nodes[3]);
        VolumeId removed = first.Drive.Id;
        byte[] kept = MakeOther(bench);
        SortedSet<ChunkAddress> others = ChunksOf(bench);
        Assert.True(bench.Put(first, "f", bench.Bytes(FileBytes)).IsOk);
        UntilCopied(bench);
        away.Kill();
        bench.Network.Cut(apart.Address, first.Address);
        bench.Network.Cut(apart.Address, second.Address);
        bench.Until(() => first.Connected == 1 && apart.Connected == 0, "one is cut off, and one is away");
        bench.Ok(first, () => first.Node.RemoveVolume("shared", default).AsTask());
        bench.Until(() => RestsOf(first) == 1 && RestsOf(second) == 1, "it is closed");
        Assert.True(bench.Put(apart, "late", bench.Bytes(FileBytes)).IsOk);

        bench.Network.HealAll();
        bench.Until(() => apart.FindDrive() is null, "it has heard");
        bench.Until(
            () => RestsOf(first) == 2 && RestsOf(second) == 2 && RestsOf(apart) == 1, "they have the same again");
        second.Kill();
        second.Start();
        bench.Until(() => RestsOf(second) == 1, "it is closed after a start, too");
        Assert.False(IsPurged(first, removed));

        away.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => IsGone(node, removed)), "nothing is left of its logs");
        Assert.Equal(others, ChunksOf(bench));
        Assert.All(bench.Nodes, node => Assert.Equal(
            kept, bench.Do(node, () => DriveFiles.Read(node.FindDrive("other")!, "kept"))));
        bench.AssertNoFailures();
    }

    /// <summary>Nobody waited for it, and repair would take its copies for last ones.</summary>
    [Fact]
    public void A_member_that_was_forgotten_meanwhile_brings_nothing_of_it_back()
    {
        PoolBench bench = PoolBench.WithDrives(3, 83);
        (BenchNode first, BenchNode away) = (bench.Nodes[0], bench.Nodes[2]);
        VolumeId removed = first.Drive.Id;
        Assert.True(bench.Put(first, "f", bench.Bytes(FileBytes)).IsOk);
        UntilCopied(bench);
        RemoveWithoutTheLast(bench, removed);
        bench.Until(() => IsGone(away, removed), "nothing is left on it");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        Assert.Empty(ChunksOf(bench));
        bench.AssertNoFailures();
    }

    /// <summary>Found by a campaign: nobody else had its logs any more, and it waited for ever to hear what they hold of them.</summary>
    [Fact]
    public void A_member_that_was_forgotten_meanwhile_is_taken_back_though_it_still_has_the_logs()
    {
        PoolBench bench = PoolBench.WithDrives(3, 84);
        (BenchNode first, BenchNode away) = (bench.Nodes[0], bench.Nodes[2]);
        VolumeId removed = first.Drive.Id;
        MakeOther(bench);
        Assert.True(bench.Put(first, "f", bench.Bytes(FileBytes)).IsOk);
        UntilCopied(bench);
        RemoveWithoutTheLast(bench, removed);
        bench.Until(() => IsPurged(away, removed), "it has heard of it");
        away.Kill();
        away.Start();
        bench.Until(() => first.Node.State.Members[away.Id].IsActiveNode, "it is taken back");
        bench.Until(() => IsGone(away, removed), "nothing is left on it");
        bench.AssertNoFailures();
    }

    /// <summary>The last is cut off and forgotten, the others remove the volume and are done with it; then it is back.</summary>
    private static void RemoveWithoutTheLast(PoolBench bench, VolumeId removed)
    {
        (BenchNode first, BenchNode second, BenchNode away) = (bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);
        bench.Network.Cut(away.Address, first.Address);
        bench.Network.Cut(away.Address, second.Address);
        bench.Until(() => away.Connected == 0 && first.Connected == 1, "it is cut off");
        bench.Ok(first, () => first.Node.ForgetNode("node2", default).AsTask());
        bench.Ok(first, () => first.Node.RemoveVolume("shared", default).AsTask());
        bench.Until(() => IsGone(first, removed) && IsGone(second, removed), "the others are done without it");

        bench.Network.HealAll();
    }

    private static byte[] MakeOther(PoolBench bench)
    {
        BenchNode first = bench.Nodes[0];
        bench.Ok(first, () => first.Node.CreateVolume("other", default).AsTask());
        byte[] kept = bench.Bytes(FileBytes);
        Assert.True(bench.Put(first, "kept", kept, "other").IsOk);
        UntilCopied(bench);
        return kept;
    }

    private static void UntilCopied(PoolBench bench)
    {
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        bench.Until(
            () => ChunksOf(bench).Count > 0 && bench.Nodes.TrueForAll(node => node.Status().Owed.SendChunks == 0),
            "there are copies");
    }

    /// <summary>How often a node closed a removed volume until all have heard, in this life.</summary>
    /// <summary>Segments of the journal whose names are not wiped.</summary>
    private static int SegmentsOf(BenchNode node)
    {
        byte[] name = new byte[64];
        return node.Disk.Files.Count(path =>
        {
            if (path.EndsWith(".seg", StringComparison.Ordinal))
            {
                node.Disk.Peek(path, name);
                return name.AsSpan().ContainsAnyExcept((byte)0);
            }

            return false;
        });
    }

    private static int RestsOf(BenchNode node) =>
        node.Node.Diary.After(0, 1000)
            .Count(static line => line.Text.Contains("is closed until every member", StringComparison.Ordinal));

    private static bool IsPurged(BenchNode node, VolumeId volume) =>
        node.IsUp && node.Node.State.Volumes.TryGetValue(volume, out PoolVolume? row) && row.IsPurged;

    private static bool IsGone(BenchNode node, VolumeId volume) =>
        IsPurged(node, volume) && node.Stores!.Logs.Logs(volume).Count == 0;

    private static SortedSet<ChunkAddress> ChunksOf(PoolBench bench) =>
        [.. bench.Nodes.SelectMany(Records).Where(key => key.Kind == RecordKind.Copy).Select(key => key.Address)];

    private static IEnumerable<RecordKey> PrivateOf(BenchNode node) =>
        Records(node).Where(key => key.Kind == RecordKind.Private);

    private static IEnumerable<RecordKey> Records(BenchNode node) =>
        node.Stores!.Chunks.Enumerate(ChunkUse.Replicated).Concat(node.Stores.Chunks.Enumerate(ChunkUse.Staged))
            .Select(record => record.Key);
}
