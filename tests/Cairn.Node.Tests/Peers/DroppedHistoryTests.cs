using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>
/// What is asked of the past when the blocks in which it was written are gone: the answer is what it was before, or it is said
/// that the history does not go back so far.
/// </summary>
public sealed class DroppedHistoryTests
{
    private const string Early = "early";

    /// <summary>
    /// On members that have dropped blocks, on one that lost its index besides, and on a newcomer: versions, trash, snapshots and
    /// differences are what they were when all blocks were there.
    /// </summary>
    [Theory]
    [InlineData(201)]
    [InlineData(202)]
    public void VersionsTrashAndSnapshots_AreWhatTheyWere(ulong seed)
    {
        PoolBench bench = DroppedPool.Of(3, seed);
        MakeHistory(bench);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(20));
        string[] was = Describe(bench, bench.Nodes[0]);
        Assert.False(bench.Nodes.Exists(DroppedPool.HasDropped));
        DroppedPool.UntilDropped(bench);
        Assert.All(bench.Nodes, node => Assert.Equal(was, Describe(bench, node)));

        bench.Nodes[1].Kill();
        DroppedPool.Lose(bench.Nodes[1], "volume-");
        bench.Nodes[1].Start();
        BenchNode newcomer = bench.NewNode();
        bench.Join(newcomer, bench.Nodes[0]);
        bench.Until(() => bench.Nodes.TrueForAll(node => node.FindDrive() is not null), "all are open");
        bench.Until(() => Describe(bench, newcomer).SequenceEqual(was), "the newcomer has all of it");
        Assert.Equal(was, Describe(bench, bench.Nodes[1]));
        bench.AssertNoFailures();
    }

    /// <summary>What is brought back of it is there for all.</summary>
    [Fact]
    public void WhatIsBroughtBack_IsBack()
    {
        PoolBench bench = DroppedPool.Of(3, 211);
        MakeHistory(bench);
        DroppedPool.UntilDropped(bench);
        (BenchNode first, BenchNode second) = (bench.Nodes[0], bench.Nodes[1]);
        InodeNumber doc = bench.Do(second, () => second.Drive.Resolve("doc").AsTask()).Value.Inode;
        IVolumeHistory history = second.Drive.History!;
        Assert.True(history.Restore(doc, history.Versions(doc).Value[^1].Version).IsOk);
        Assert.True(history.Undelete(history.Trash().Single(gone => gone.Path == "gone").Inode, default).IsOk);
        bench.Ok(first, () => first.Node.CloneSnapshot("shared", Early, "copy", default).AsTask());
        bench.Until(
            () => bench.Nodes.TrueForAll(node => Shows(bench, node, "doc", "one") && Shows(bench, node, "gone", "gone")
                && node.FindDrive("copy") is { } copy && bench.Do(node, () => DriveFiles.Read(copy, "doc")) is { } read
                && Encoding.UTF8.GetString(read) == "one"),
            "it is back everywhere");

        // And a whole folder, as it was in a snapshot from before what is dropped; and that undone.
        RestoreOutcome outcome = Restore(bench, second, new PastState(Early)).Value;
        Assert.Empty(outcome.Lost);
        bench.Until(
            () => bench.Nodes.TrueForAll(
                node => bench.Get(node, "file 1") is null && Shows(bench, node, "gone", "gone")),
            "all went back");
        Assert.True(Restore(bench, first, new PastState(outcome.Undo)).IsOk);
        bench.Until(() => bench.Nodes.TrueForAll(node => bench.Get(node, "file 1") is [1]), "all are here again");
        bench.AssertNoFailures();
    }

    /// <summary>A moment, and what is undone since a moment, goes by the blocks: right as far as they go, and refused before.</summary>
    [Fact]
    public void AMomentOrAPosition_IsRightAsFarAsBlocksGo_AndRefusedBefore()
    {
        PoolBench bench = DroppedPool.Of(3, 221);
        MakeHistory(bench);
        TimeSpan before = bench.Scheduler.Now;
        string position = bench.Nodes[0].Drive.Feed!.Now;
        DroppedPool.Fill(bench, DroppedPool.Between);
        DroppedPool.UntilDropped(bench);
        (TimeSpan settled, string kept) = (bench.Scheduler.Now, bench.Nodes[0].Drive.Feed!.Now);
        Assert.True(bench.Put(bench.Nodes[1], "by another", [1]).IsOk);
        bench.Until(() => bench.Get(bench.Nodes[0], "by another") is [1], "it arrives");
        Assert.True(bench.Put(bench.Nodes[0], "late", [2]).IsOk);
        bench.Until(() => bench.Nodes.TrueForAll(node => bench.Get(node, "late") is [2]), "it is everywhere");
        NodeId[] culprit = [bench.Nodes[0].Id];
        foreach (BenchNode node in bench.Nodes)
        {
            for (int life = 0; life < 2; life++)
            {
                int snapshots = node.Drive.Snapshots!.List().Count;
                string old = DroppedPool.Moment(bench, node, before);
                Assert.Equal(VolumeError.BeforeBeginning, DroppedPool.At(bench, node, before).Error);
                Assert.Equal(VolumeError.BeforeBeginning, Compare(bench, node, new PastState(old)).Error);
                Assert.Equal(VolumeError.BeforeBeginning, Restore(bench, node, new PastState(old)).Error);
                Assert.Equal(
                    VolumeError.BeforeBeginning, Restore(bench, node, new PastState(old) { Without = culprit }).Error);
                Assert.Equal(VolumeError.BeforeBeginning, node.Drive.Feed!.After("").Error);
                Assert.Equal(VolumeError.BeforeBeginning, node.Drive.Feed.After(position).Error);
                Assert.Equal(snapshots, node.Drive.Snapshots.List().Count);

                Assert.True(DroppedPool.At(bench, node, settled).IsOk);
                Assert.Equal(VolumeError.NotFound, DroppedPool.At(bench, node, settled, "late").Error);
                Assert.True(DroppedPool.At(bench, node, bench.Scheduler.Now, "late").IsOk);
                Assert.Equal(["by another", "late"], Fed(node, kept));

                // At once after a start, too: what is kept is looked for when it is asked for.
                node.Kill();
                node.Start();
                bench.Until(() => node.FindDrive() is not null, "it is open");
            }
        }

        BenchNode undoing = bench.Nodes[2];
        string since = DroppedPool.Moment(bench, undoing, settled);
        Assert.Equal(1, Restore(bench, undoing, new PastState(since) { Without = culprit }).Value.Changed);
        bench.Until(
            () => bench.Nodes.TrueForAll(
                node => bench.Get(node, "late") is null && bench.Get(node, "by another") is [1]),
            "only that is undone");
        bench.AssertNoFailures();
    }

    /// <summary>A file with versions, one that is removed, a snapshot, and files until there is enough for a checkpoint.</summary>
    private static void MakeHistory(PoolBench bench)
    {
        BenchNode first = bench.Nodes[0];
        Assert.True(bench.Put(first, "doc", "one"u8.ToArray()).IsOk);
        Assert.True(bench.Put(first, "gone", "gone"u8.ToArray()).IsOk);
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, "gone", "gone")), "it is everywhere");
        Assert.True(bench.Do(
            first, () => first.Drive.Snapshots!.Create(InodeNumber.Root, "early"u8.ToArray(), default).AsTask()).IsOk);
        Assert.True(bench.Put(first, "doc", "two"u8.ToArray()).IsOk);
        Assert.True(bench.Delete(first, "gone"));
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, "doc", "two")), "it is changed everywhere");
        Assert.True(bench.Put(bench.Nodes[1], "doc", "three"u8.ToArray()).IsOk);
        DroppedPool.Fill(bench, DroppedPool.Between + 10);
    }

    /// <summary>Everything that can be asked of the past without blocks.</summary>
    private static string[] Describe(PoolBench bench, BenchNode node) => bench.Do(node, async () =>
    {
        IVolume drive = node.Drive;
        List<string> lines = [];
        InodeNumber doc = (await drive.Resolve("doc")).Value.Inode;
        foreach (FileVersion version in drive.History!.Versions(doc).Value)
        {
            OpenedFile opened = drive.History.OpenVersion(doc, version.Version).Value;
            byte[] content = new byte[version.SizeBytes];
            Result<int, VolumeError> read = await drive.Read(opened.Handle, 0, content);
            await drive.Release(opened.Handle);
            lines.Add($"{version} {read} {Encoding.UTF8.GetString(content)}");
        }

        lines.AddRange(drive.History.Trash().Select(gone => $"{gone.Path} {gone.RemovedAt} {gone.RemovedByName}"));
        lines.AddRange(drive.Snapshots!.List().Select(one => one.ToString()));
        IReadOnlyList<PastDifference> differences =
            (await drive.Snapshots.Compare(new PastState(Early), "", default)).Value;
        lines.AddRange(differences.Select(one => one.ToString()));
        foreach (string path in new[] { "doc", "gone", ".snapshots/early/doc", ".snapshots/early/gone" })
        {
            byte[]? read = await DriveFiles.Read(drive, path);
            lines.Add($"{path} {(read is null ? "-" : Encoding.UTF8.GetString(read))}");
        }

        return lines.ToArray();
    });

    private static Result<RestoreOutcome, VolumeError> Restore(PoolBench bench, BenchNode node, PastState past) =>
        bench.Do(node, () => node.Drive.Snapshots!.Restore(past, "", default).AsTask());

    private static Result<IReadOnlyList<PastDifference>, VolumeError> Compare(
        PoolBench bench, BenchNode node, PastState past) =>
        bench.Do(node, () => node.Drive.Snapshots!.Compare(past, "", default).AsTask());

    /// <summary>The files that were made since a position.</summary>
    private static string[] Fed(BenchNode node, string position)
    {
        List<string> made = [];
        for (bool isMore = true; isMore;)
        {
            ChangeStep step = node.Drive.Feed!.After(position).Value;
            made.AddRange(
                step.Changes.Where(change => change.Kind == ChangeKind.Created).Select(change => change.Path));
            (position, isMore) = (step.Position, !step.IsCaughtUp);
        }

        return [.. made];
    }

    private static bool Shows(PoolBench bench, BenchNode node, string name, string text) =>
        bench.Get(node, name) is { } read && Encoding.UTF8.GetString(read) == text;
}
