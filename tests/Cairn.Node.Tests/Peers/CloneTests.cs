using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Peers;

/// <summary>Clones of snapshots in a pool on virtual time: both volumes are written to, removed from and collected.</summary>
public sealed class CloneTests
{
    private const int FileBytes = 400_000;

    [Fact]
    public void A_clone_shares_the_chunks_of_its_snapshot_and_each_volume_goes_its_own_way()
    {
        PoolBench bench = PoolBench.WithDrives(3, 71);
        BenchNode first = bench.Nodes[0];
        var begin = Files(bench, "a", "b", "c");
        Put(bench, first, "shared", begin);
        Take(bench, first);
        UntilCopied(bench);
        SortedSet<ChunkAddress> chunks = ChunksOf(bench);
        VolumeSummary clone = bench.Ok(first, () => first.Node.CloneSnapshot("shared", "s", "copy", default).AsTask());
        Assert.Equal(("copy", "shared@s", true), (clone.Name, clone.CloneOf, clone.IsComplete));
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, "copy", begin)), "the clone is everywhere");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.Equal(chunks, ChunksOf(bench));

        // The origin lets go of all, the clone of some; what both show afterwards is what each was told.
        var second = Files(bench, "b", "d");
        Put(bench, bench.Nodes[1], "copy", second);
        var third = Files(bench, "e");
        Put(bench, bench.Nodes[2], "shared", third);
        Delete(bench, first, "shared", "a", "b", "c");
        bench.Until(() => Shows(bench, bench.Nodes[1], "copy", second), "both are written");
        Delete(bench, bench.Nodes[1], "copy", "c");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        Assert.All(bench.Nodes, node =>
        {
            Assert.True(Shows(bench, node, "copy", [("a", begin[0].Content), second[0], second[1]]));
            Assert.True(Shows(bench, node, "shared", third));
            Assert.Null(Read(bench, node, "copy", "c"));

            // What the clone let go of is the origin's: its snapshot shows it still.
            Assert.Equal(begin[2].Content, Read(bench, node, "shared", ".snapshots/s/c"));
        });

        // The hold goes with the clone: then the snapshot can be removed, and all that only it kept is collected.
        ControlError needed = Refused(bench, first, "shared");
        Assert.Contains("'copy'", needed.Message, StringComparison.Ordinal);
        Assert.Equal(VolumeError.InUse, Drive(first, "shared").Snapshots!.Remove("s").Error);
        bench.Ok(first, () => first.Node.RemoveVolume("copy", default).AsTask());
        Assert.True(Drive(first, "shared").Snapshots!.Remove("s").IsOk);
        bench.Until(() => !ChunksOf(bench).Overlaps(chunks), "space is given back");
        Assert.True(Shows(bench, first, "shared", third));
        bench.AssertNoFailures();
    }

    /// <summary>
    /// Whoever removes the snapshot without having heard of the clone: it stays, and so does what it keeps. Also when the
    /// others did not wait for that member, and its removal comes into the past that they had settled.
    /// </summary>
    [Theory]
    [InlineData(72, false, false)]
    [InlineData(73, true, false)]
    [InlineData(77, true, true)]
    public void A_snapshot_that_is_removed_apart_stays_for_its_clone(ulong seed, bool isRemovedFirst, bool isForgotten)
    {
        PoolBench bench = PoolBench.WithDrives(3, seed);
        (BenchNode first, BenchNode second, BenchNode apart) = (bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);
        var begin = Files(bench, "a", "b", "c");
        Put(bench, first, "shared", begin);
        Take(bench, first);
        bench.Until(() => Read(bench, apart, "shared", ".snapshots/s/c") is not null, "the snapshot is everywhere");
        UntilCopied(bench);
        bench.Network.Cut(apart.Address, first.Address);
        bench.Network.Cut(apart.Address, second.Address);
        bench.Until(() => apart.Connected == 0 && first.Connected == 1, "it is cut off");

        if (isForgotten)
        {
            bench.Ok(first, () => first.Node.ForgetNode("node2", default).AsTask());
        }

        void Clone() => bench.Ok(first, () => first.Node.CloneSnapshot("shared", "s", "copy", default).AsTask());
        void Remove()
        {
            Delete(bench, apart, "shared", "a", "b", "c");
            Assert.True(Drive(apart, "shared").Snapshots!.Remove("s").IsOk);
        }

        (Action Early, Action Late) order = isRemovedFirst ? (Remove, Clone) : (Clone, Remove);
        order.Early();
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        order.Late();
        bench.Network.HealAll();
        bench.Until(() => first.Info().All(node => node.Role == "admin"), "all belong to it");
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, "copy", begin)), "the clone is everywhere");
        bench.Until(() => Read(bench, first, "shared", "a") is null, "the removals are, too");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(4));
        Assert.All(bench.Nodes, node =>
        {
            Assert.True(Shows(bench, node, "copy", begin));
            Assert.Equal(["s"], Drive(node, "shared").Snapshots!.List().Select(one => one.Name));
        });

        // Nobody but the snapshot keeps these chunks, so this is where they were in danger; and they are all collectable.
        bench.Ok(first, () => first.Node.RemoveVolume("copy", default).AsTask());
        Assert.True(Drive(first, "shared").Snapshots!.Remove("s").IsOk);
        bench.Until(() => ChunksOf(bench).Count == 0, "space is given back");
        bench.AssertNoFailures();
    }

    /// <summary>The one that makes it loses power at any step: nobody ever sees half of the clone.</summary>
    [Fact]
    public void A_clone_that_a_crash_interrupted_is_completed_after_the_next_start()
    {
        PoolBench bench = PoolBench.WithDrives(2, 74);
        (BenchNode first, BenchNode second) = (bench.Nodes[0], bench.Nodes[1]);
        (string Name, byte[] Content)[] begin =
            [.. Enumerable.Range(0, 100).Select(i => ($"f{i}", Encoding.UTF8.GetBytes($"content {i}")))];
        Put(bench, first, "shared", begin);
        Take(bench, first);
        long before = first.Disk.Faults.ChangeCount;
        bench.Ok(first, () => first.Node.CloneSnapshot("shared", "s", "whole", default).AsTask());
        long all = first.Disk.Faults.ChangeCount - before;
        int wereIncomplete = 0;
        for (long changes = 1; changes <= all; changes += 1 + (all / 8))
        {
            string copy = $"copy{changes}";
            first.Disk.Faults.DieAtChange = first.Disk.Faults.ChangeCount + changes;
            _ = first.Process.Run(() => first.Node.CloneSnapshot("shared", "s", copy, default).AsTask());
            bench.Scheduler.RunFor(TimeSpan.FromSeconds(1));
            bool isBegun = first.FindVolume(copy) is { IsComplete: false } && first.FindDrive(copy) is null;
            wereIncomplete += isBegun ? 1 : 0;
            first.Kill(CrashKind.PowerLost);
            first.Disk.Faults.Clear();
            first.Start();
            bench.Until(() => first.Connected == 1 && first.FindDrive() is not null, "it is back");
            bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
            Assert.Equal(first.FindVolume(copy) is null, second.FindVolume(copy) is null);
            if (first.FindVolume(copy) is not null)
            {
                bench.Until(() => second.FindDrive(copy) is not null, "it is complete");
                bench.Until(() => Shows(bench, second, copy, begin), "all of it is there");
                Assert.Equal(begin.Length, Names(bench, first, copy).Length);
            }
        }

        Assert.True(wereIncomplete > 2, $"{wereIncomplete} in {all} changes");
        bench.AssertNoFailures();
    }

    [Fact]
    public void A_clone_of_a_clone_keeps_all_that_both_need()
    {
        PoolBench bench = PoolBench.WithDrives(2, 75);
        BenchNode first = bench.Nodes[0];
        var begin = Files(bench, "a", "b");
        Put(bench, first, "shared", begin);
        Take(bench, first);
        bench.Ok(first, () => first.Node.CloneSnapshot("shared", "s", "one", default).AsTask());
        var more = Files(bench, "c");
        Put(bench, first, "one", more);
        Take(bench, first, "one");
        bench.Ok(first, () => first.Node.CloneSnapshot("one", "s", "two", default).AsTask());
        Delete(bench, first, "shared", "a", "b");
        Delete(bench, first, "one", "a", "b", "c");
        Assert.Contains("'two'", Refused(bench, first, "one").Message, StringComparison.Ordinal);
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        bench.Until(() => Shows(bench, bench.Nodes[1], "two", [.. begin, .. more]), "all of it is there");
        Assert.Empty(Names(bench, first, "one"));
        bench.AssertNoFailures();
    }

    [Fact]
    public void What_cannot_be_cloned_is_said()
    {
        PoolBench bench = PoolBench.WithDrives(1, 76);
        BenchNode first = bench.Nodes[0];
        Take(bench, first);
        ControlErrorKind Of(string volume, string snapshot, string name) => bench.Do(
            first, () => first.Node.CloneSnapshot(volume, snapshot, name, default).AsTask()).Error.Kind;
        Assert.Equal(ControlErrorKind.NotFound, Of("none", "s", "copy"));
        Assert.Equal(ControlErrorKind.NotFound, Of("shared", "none", "copy"));
        Assert.Equal(ControlErrorKind.AlreadyExists, Of("shared", "s", "shared"));
        Assert.Equal(ControlErrorKind.InvalidArgument, Of("shared", "s", "a/b"));
        Assert.Single(bench.Do(first, () => first.Node.Volumes(default).AsTask()));
    }

    private static (string Name, byte[] Content)[] Files(PoolBench bench, params string[] names) =>
        [.. names.Select(name => (name, bench.Bytes(FileBytes)))];

    private static IVolume Drive(BenchNode node, string volume) => node.FindDrive(volume)
        ?? throw new InvalidOperationException($"{node.Options.Name} has no {volume}");

    private static void Put(
        PoolBench bench, BenchNode node, string volume, IEnumerable<(string Name, byte[] Content)> files)
    {
        foreach ((string name, byte[] content) in files)
        {
            Assert.True(bench.Put(node, name, content, volume).IsOk);
        }
    }

    private static void Take(PoolBench bench, BenchNode node, string volume = "shared") => Assert.True(bench.Do(
        node, () => Drive(node, volume).Snapshots!.Create(InodeNumber.Root, "s"u8.ToArray(), default).AsTask()).IsOk);

    private static void UntilCopied(PoolBench bench) => bench.Until(
        () => ChunksOf(bench).Count > 0 && bench.Nodes.TrueForAll(node => node.Status().Owed.SendChunks == 0),
        "there are copies");

    /// <summary>For good: nothing but a snapshot keeps them.</summary>
    private static void Delete(PoolBench bench, BenchNode node, string volume, params string[] names)
    {
        Assert.All(names, name => Assert.True(bench.Delete(node, name, volume)));
        Assert.True(bench.Do(node, () => Task.FromResult(Drive(node, volume).History!.EmptyTrash())).IsOk);
    }

    private static byte[]? Read(PoolBench bench, BenchNode node, string volume, string path) =>
        node.FindDrive(volume) is { } drive ? bench.Do(node, () => DriveFiles.Read(drive, path)) : null;

    private static bool Shows(
        PoolBench bench, BenchNode node, string volume, IEnumerable<(string Name, byte[] Content)> files) =>
        files.All(file => Read(bench, node, volume, file.Name) is { } read && read.SequenceEqual(file.Content));

    private static string[] Names(PoolBench bench, BenchNode node, string volume) => [.. bench.Do(
        node, () => Drive(node, volume).ReadDirectory(InodeNumber.Root, 0, 1000).AsTask()).Value
        .Select(entry => Encoding.UTF8.GetString(entry.Name.Span))];

    private static ControlError Refused(PoolBench bench, BenchNode node, string volume) =>
        bench.Do(node, () => node.Node.RemoveVolume(volume, default).AsTask()).Error;

    /// <summary>What any node answers for.</summary>
    private static SortedSet<ChunkAddress> ChunksOf(PoolBench bench) =>
    [
        .. bench.Nodes.SelectMany(node => node.Stores!.Chunks.Enumerate(ChunkUse.Replicated)
            .Concat(node.Stores.Chunks.Enumerate(ChunkUse.Staged)))
            .Select(record => record.Key.Address),
    ];
}
