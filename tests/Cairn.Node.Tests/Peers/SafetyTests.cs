using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>"Safe" is said only when it is so: on as many nodes as there are, for small files and large ones.</summary>
public sealed class SafetyTests
{
    /// <summary>
    /// Right after writing, and before anything is published: when the wait ends, every other node is cut off from the
    /// writer, and reads all of it from what it and its neighbours hold.
    /// </summary>
    [Theory]
    [InlineData(100, 40)]
    [InlineData(4096, 120)]
    [InlineData(900_000, 6)]
    [InlineData(9_000_000, 1)]
    public void What_waiting_called_safe_is_there_without_its_writer(int bytes, int files)
    {
        PoolBench bench = PoolBench.WithDrives(4, 151);
        BenchNode writer = bench.Nodes[1];
        byte[][] written = [.. Enumerable.Range(0, files).Select(_ => bench.Bytes(bytes))];
        for (int i = 0; i < files; i++)
        {
            Assert.True(bench.Put(writer, $"f{i}", written[i]).IsOk);
        }

        Wait(bench, writer, "shared");
        SafetyReport report = bench.Ok(writer, () => writer.Node.Safe("shared", default).AsTask());
        Assert.True(report is { IsSafe: true, CopiesConfirmed: 4, HasUnpublishedWrites: false });
        writer.Kill();
        foreach (BenchNode reader in bench.Nodes.Where(node => node != writer))
        {
            for (int i = 0; i < files; i++)
            {
                Assert.Equal(written[i], bench.Get(reader, $"f{i}"));
            }
        }
    }

    /// <summary>Each holds a part of the chunks only: all of them count all of them, as `safe` says.</summary>
    [Fact]
    public void Every_node_says_the_same_size_whatever_it_holds_itself()
    {
        PoolBench bench = PoolBench.WithDrives(6, 153);
        Assert.True(bench.Put(bench.Nodes[0], "large", bench.Bytes(20_000_000)).IsOk);
        Wait(bench, bench.Nodes[0], "shared");
        SafetyReport[] said = [.. bench.Nodes.Select(
            node => bench.Ok(node, () => node.Node.Safe("shared/large", default).AsTask()))];
        Assert.Contains(said, report => report.Holders.Any(holder => holder.Chunks < report.Chunks));
        Assert.All(said, report => Assert.InRange(report.Bytes, 20_000_000, 20_200_000));
        Assert.Single(said.Select(report => report.Bytes).Distinct());
    }

    [Fact]
    public void A_file_on_two_connected_nodes_of_three_is_not_safe()
    {
        PoolBench bench = PoolBench.WithDrives(3, 161);
        BenchNode away = bench.Nodes[2];
        away.Kill();
        Assert.True(bench.Put(bench.Nodes[0], "small", bench.Bytes(50)).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.False(bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.Safe("shared/small", default).AsTask()).IsSafe);
        away.Start();
        Wait(bench, bench.Nodes[0], "shared/small");
        bench.Nodes[0].Kill();
        Assert.NotNull(bench.Get(away, "small"));
    }

    [Fact]
    public void What_is_in_the_journal_alone_is_not_called_safe()
    {
        PoolBench bench = PoolBench.WithDrives(2, 191);
        BenchNode writer = bench.Nodes[0];
        OpenHandle handle = bench.Do(writer, async () => await writer.Drive.Create(
            InodeNumber.Root, "f"u8.ToArray(), 0x1A4, OpenIntent.Write, new Caller(1000, 1000, 7))).Value.Handle;
        bench.Until(() => writer.Status().IsSafe, "all that was published is safe");
        Assert.True(bench.Do(writer, async () => await writer.Drive.Write(handle, 0, new byte[5000])).IsOk);
        NodeStatus status = writer.Status();
        Assert.Equal(1, status.Owed.PublishFiles);
        Assert.False(status.IsSafe);
        Assert.Equal("Writes to 1 file are being published. Nothing to do.", status.Verdict);

        // After 2 s without writes.
        bench.Until(() => writer.Status() is { Owed.PublishFiles: 0, IsSafe: true }, "published and safe");
    }

    [Fact]
    public void The_verdict_counts_what_other_nodes_owe()
    {
        PoolBench bench = PoolBench.WithDrives(3, 171);
        BenchNode writer = bench.Nodes[0];
        bench.Nodes[2].Kill();
        Assert.True(bench.Put(writer, "large", bench.Bytes(900_000)).IsOk);
        bench.Until(() => writer.Status().Owed.SendChunks > 0, "owed");
        bench.Until(() => !bench.Nodes[1].Status().IsSafe, "the other knows");
        Assert.Contains("written on node0", bench.Nodes[1].Status().Verdict, StringComparison.Ordinal);
        bench.Nodes[2].Start();
        Wait(bench, bench.Nodes[1], null);
        Assert.Equal(0, writer.Status().Owed.SendChunks);
        bench.Until(() => bench.Nodes[1].Status().IsSafe, "safe everywhere");
    }

    /// <summary>A node says in its record that it owes copies, every few seconds: a wait asks for it.</summary>
    [Fact]
    public void A_wait_does_not_end_by_what_another_node_said_some_seconds_ago()
    {
        PoolBench bench = PoolBench.Of(3, 181);
        (BenchNode writer, BenchNode waiter, BenchNode away) = (bench.Nodes[0], bench.Nodes[1], bench.Nodes[2]);
        bench.Ok(writer, () => writer.Node.CreateVolume("v", default).AsTask());
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Volumes!.Open.Count == 1), "the volume is everywhere");
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Status().IsSafe), "safe at first");
        bench.Network.Cut(writer.Address, away.Address);
        bench.Network.Cut(waiter.Address, away.Address);
        bench.Do(writer, () => Task.FromResult(writer.Volume.Write(bench.Bytes(100_000))));
        bool hasEnded = false;
        Task wait = waiter.Process.Run(async () =>
        {
            await foreach (Result<SafetyProgress, ControlError> step in waiter.Node.WaitSafe(null, default))
            {
                Assert.True(step.IsOk, step.ToString());
            }

            hasEnded = true;
            return 0;
        });
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(3));
        Assert.False(hasEnded);
        Assert.Equal(1, writer.Status().Owed.SendChunks);
        bench.Network.HealAll();
        bench.Until(() => wait.IsCompleted, "the wait ends");
        Assert.Equal(0, writer.Status().Owed.SendChunks);
    }

    /// <summary>The words of members about each other's blocks are not left to what is said every half minute.</summary>
    [Fact]
    public void What_a_member_wrote_is_known_by_all_to_be_with_that_member()
    {
        PoolBench bench = PoolBench.WithDrives(4, 181);
        bench.Until(() => bench.Nodes.TrueForAll(HasAllConfirmed), "at rest");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.True(bench.Put(bench.Nodes[2], "file", bench.Bytes(50)).IsOk);
        bench.Until(() => !bench.Nodes.TrueForAll(HasAllConfirmed), "written");
        bench.Until(() => bench.Nodes.TrueForAll(HasAllConfirmed), "known", TimeSpan.FromSeconds(20));
    }

    private static bool HasAllConfirmed(BenchNode node) => node.Status().Owed.SendBlocks == 0;

    private static void Wait(PoolBench bench, BenchNode node, string? path) => bench.Do(node, async () =>
    {
        await foreach (Result<SafetyProgress, ControlError> step in node.Node.WaitSafe(path, default))
        {
            Assert.True(step.IsOk, step.ToString());
        }

        return 0;
    });
}
