using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>What is pinned is here when nobody else is; what is freed is elsewhere.</summary>
/// <remarks>Seven nodes and four copies: of most chunks a given node holds none by itself.</remarks>
public sealed class PinTests
{
    private const int FileBytes = 900_000;
    private const int Files = 8;

    [Fact]
    public void A_pinned_volume_is_read_without_the_others_with_new_versions_and_after_a_restart()
    {
        (PoolBench bench, BenchNode laptop) = Pool(501);
        BenchNode desk = bench.Nodes[0];
        bench.Ok(laptop, () => laptop.Node.Pin("shared", 0, default).AsTask());
        bench.Until(() => StateOf(bench, laptop) == PinState.Kept, "all files are here");
        byte[] changed = bench.Bytes(FileBytes);
        Assert.True(bench.Put(desk, "f0", changed).IsOk);
        bench.Until(() => bench.Get(desk, "f0")!.SequenceEqual(changed), "the new version is published");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        Assert.Equal(PinState.Kept, StateOf(bench, laptop));
        KillOthers(bench, laptop);
        laptop.Kill();
        laptop.Start();
        bench.Until(() => laptop.FindDrive() is not null, "the drive is back");
        bench.Until(() => StateOf(bench, laptop) == PinState.Kept, "still kept");
        for (int i = 0; i < Files; i++)
        {
            Assert.NotNull(bench.Get(laptop, $"f{i}"));
        }

        Assert.Equal(changed, bench.Get(laptop, "f0"));
    }

    [Fact]
    public void A_pin_follows_an_editor_that_saves_by_rename_and_a_rename()
    {
        (PoolBench bench, BenchNode laptop) = Pool(502);
        bench.Ok(laptop, () => laptop.Node.Pin("shared/f1", 0, default).AsTask());
        bench.Until(() => StateOf(bench, laptop) == PinState.Kept, "kept");
        byte[] saved = bench.Bytes(FileBytes);
        Assert.True(bench.Put(bench.Nodes[0], ".f1.new", saved).IsOk);
        Rename(bench, bench.Nodes[0], ".f1.new", "f1");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        Rename(bench, bench.Nodes[0], "f1", "renamed");
        bench.Until(() => Pins(bench, laptop) is [{ Path: "shared/renamed", State: PinState.Kept }], "it went along");
        KillOthers(bench, laptop);
        Assert.Equal(saved, bench.Get(laptop, "renamed"));
    }

    [Fact]
    public void A_read_of_what_is_not_here_fails_at_once_and_is_told_to_the_owner_or_waits_if_asked()
    {
        (PoolBench bench, BenchNode laptop) = Pool(503);
        KillOthers(bench, laptop);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(20));
        TimeSpan before = bench.Scheduler.Now;
        int read = Enumerable.Range(0, Files).Count(i => bench.Get(laptop, $"f{i}") is not null);
        Assert.NotEqual(Files, read);
        Assert.Equal(before, bench.Scheduler.Now);
        NodeProblem problem = Assert.Single(laptop.Status().Problems, problem => problem.Code == "unreadable");
        Assert.Contains("shared/f", problem.Message, StringComparison.Ordinal);
        Assert.Contains(laptop.Lines, line => line.Contains("was read, but", StringComparison.Ordinal));

        laptop.Kill();
        laptop.Options = laptop.Options with { ReadWait = TimeSpan.FromMinutes(5) };
        laptop.Start();
        bench.Until(() => laptop.FindDrive() is not null, "the drive is back");
        Task<byte[]?[]> patient = laptop.Process.Run(async () =>
        {
            byte[]?[] contents = new byte[]?[Files];
            for (int i = 0; i < Files; i++)
            {
                contents[i] = await DriveFiles.Read(laptop.Drive, $"f{i}");
            }

            return contents;
        });
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        Assert.False(patient.IsCompleted);
        foreach (BenchNode other in bench.Nodes.Where(node => node != laptop))
        {
            other.Start();
        }

        Assert.DoesNotContain(null, bench.Scheduler.Complete(patient, TimeSpan.FromMinutes(5)));
    }

    [Fact]
    public void Freeing_gives_up_only_extra_copies_that_others_confirm()
    {
        (PoolBench bench, BenchNode laptop) = Pool(504);
        bench.Ok(laptop, () => laptop.Node.Pin("shared", 0, default).AsTask());
        bench.Until(() => StateOf(bench, laptop) == PinState.Kept, "kept");
        BenchNode[] others = [.. bench.Nodes.Where(node => node != laptop)];
        foreach (BenchNode other in others.Take(4))
        {
            other.Kill();
        }

        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        FreeReport report = bench.Ok(laptop, () => laptop.Node.Free("shared", default).AsTask());
        Assert.True(report.UnconfirmedBytes > 0 && report.FreedBytes == 0, report.ToString());
        Assert.Empty(Pins(bench, laptop));
        foreach (BenchNode other in others.Take(4))
        {
            other.Start();
        }

        bench.Until(() => laptop.Connected == others.Length, "all are back");
        bench.Until(
            () => bench.Ok(laptop, () => laptop.Node.Free("shared", default).AsTask()).UnconfirmedBytes == 0,
            "all is confirmed");
        Assert.Equal(0, laptop.Status().Space.CachedBytes);
        for (int i = 0; i < Files; i++)
        {
            Assert.NotNull(bench.Get(laptop, $"f{i}"));
        }
    }

    [Fact]
    public void What_is_recent_is_kept_and_nothing_else()
    {
        (PoolBench bench, BenchNode laptop) = Pool(505);
        WallTime old = WallTime.From(bench.Nodes[0].Ports.Time.GetUtcNow() - TimeSpan.FromDays(3));
        for (int i = 0; i < Files; i++)
        {
            SetTime(bench, bench.Nodes[0], $"f{i}", old);
        }

        Assert.True(bench.Put(bench.Nodes[0], "new", bench.Bytes(FileBytes)).IsOk);
        bench.Ok(laptop, () => laptop.Node.Pin(null, 2, default).AsTask());
        bench.Until(
            () => Pins(bench, laptop) is [{ State: PinState.Kept, Files: 1, RecentDays: 2 }], "only the new one");
        Result<Unit, ControlError> refused = bench.Do(laptop, () => laptop.Node.Unpin("shared/new", default).AsTask());
        Assert.Equal(ControlErrorKind.NotFound, refused.Error.Kind);
        bench.Ok(laptop, () => laptop.Node.Unpin("shared", default).AsTask());
    }

    private static (PoolBench Bench, BenchNode Laptop) Pool(ulong seed)
    {
        PoolBench bench = PoolBench.WithDrives(7, seed);
        for (int i = 0; i < Files; i++)
        {
            Assert.True(bench.Put(bench.Nodes[i % 3], $"f{i}", bench.Bytes(FileBytes)).IsOk);
        }

        bench.Until(() => bench.Nodes.TrueForAll(node => node.Status().Owed.SendChunks == 0), "copied");
        BenchNode laptop = bench.Nodes[6];
        bench.Until(
            () => bench.Nodes.TrueForAll(node => Enumerable.Range(0, Files).All(i => Sees(node, $"f{i}"))),
            "the names are everywhere");
        return (bench, laptop);
    }

    private static bool Sees(BenchNode node, string name) =>
        node.Drive.Resolve(name).AsTask().GetAwaiter().GetResult() is { IsOk: true, Value.SizeBytes: FileBytes };

    private static void Rename(PoolBench bench, BenchNode node, string from, string to) =>
        Assert.True(bench.Do(node, async () => (await node.Drive.Rename(
            InodeNumber.Root, System.Text.Encoding.UTF8.GetBytes(from), InodeNumber.Root,
            System.Text.Encoding.UTF8.GetBytes(to), RenameMode.Replace, Caller.Daemon)).IsOk));

    private static void SetTime(PoolBench bench, BenchNode node, string name, WallTime time) =>
        Assert.True(bench.Do(node, async () =>
        {
            ObjectAttributes file = (await node.Drive.Resolve(name)).Value;
            AttributeChange change = new() { Modified = time };
            return (await node.Drive.SetAttributes(file.Inode, change, null, Caller.Daemon)).IsOk;
        }));

    private static void KillOthers(PoolBench bench, BenchNode laptop)
    {
        foreach (BenchNode other in bench.Nodes.Where(node => node != laptop))
        {
            other.Kill();
        }
    }

    private static IReadOnlyList<PinSummary> Pins(PoolBench bench, BenchNode node) =>
        bench.Do(node, () => node.Node.Pins(default).AsTask());

    private static PinState? StateOf(PoolBench bench, BenchNode node) =>
        Pins(bench, node) is [var pin] ? pin.State : null;
}
