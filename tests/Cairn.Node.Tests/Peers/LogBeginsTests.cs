using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Peers;

namespace Cairn.Node.Tests.Peers;

/// <summary>A member that lacks blocks which another dropped is told so, and neither waits for them nor is sent what follows.</summary>
public sealed class LogBeginsTests
{
    private const int Dropped = 40;
    private const int Blocks = 64;
    private static readonly LogId Author = new(new NodeId(new Bytes32("who wrote the long history here."u8)), 1);

    [Fact]
    public void WhoLacksDroppedBlocks_IsToldNowAndThen_AndGoesOnOnceItCanDoWithout()
    {
        PoolBench bench = PoolBench.Of(3, 83);
        BeginningLog[] logs = Prepare(bench);

        bench.Nodes[0].Start();
        bench.Nodes[1].Start();
        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("long", default).AsTask());
        bench.Until(() => IsTold(bench.Nodes[1]), "it is told");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(5));
        Assert.True(IsTold(bench.Nodes[1]));
        Assert.Equal(0, ToReceive(bench.Nodes[1]));
        Assert.False(IsTold(bench.Nodes[0]));
        Assert.Equal(0, logs[1].Count);
        Assert.Equal(0, logs[0].HandedOut);
        Assert.InRange(logs[1].Told, 2, 12);

        // It gets what the log's state has from somewhere: then what follows comes.
        logs[1].CanDoWithout = true;
        bench.Until(() => logs[1].Count == Blocks, "the rest comes");
        Assert.False(IsTold(bench.Nodes[1]));
        Assert.Equal(Blocks - Dropped, logs[0].HandedOut);
        int told = logs[1].Told;
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(5));
        Assert.Equal(told, logs[1].Told);
    }

    [Fact]
    public void WhileAnotherHasTheBlocks_NothingIsOutOfReach()
    {
        PoolBench bench = PoolBench.Of(3, 84);
        BeginningLog[] logs = Prepare(bench);

        foreach (BenchNode node in bench.Nodes)
        {
            node.Start();
        }

        bench.Ok(bench.Nodes[0], () => bench.Nodes[0].Node.CreateVolume("long", default).AsTask());
        bench.Until(() => logs[1]?.Count == Blocks, "all of it comes");
        Assert.False(IsTold(bench.Nodes[1]));
    }

    /// <summary>The first dropped blocks, the second has none, the third has all; none is up.</summary>
    private static BeginningLog[] Prepare(PoolBench bench)
    {
        BeginningLog[] logs = new BeginningLog[3];
        int[] begins = [Dropped, 0, 0];
        int[] count = [Blocks, 0, Blocks];
        for (int i = 0; i < 3; i++)
        {
            (int me, BenchNode node) = (i, bench.Nodes[i]);
            node.Log = volume => logs[me] = new BeginningLog(volume, begins[me], count[me]);
            node.Kill();
        }

        return logs;
    }

    private static long ToReceive(BenchNode node) => node.Status().Owed.ReceiveBlocks;

    private static bool IsTold(BenchNode node) =>
        node.Status().Problems.Any(static problem => problem.Code == "blocks-dropped");

    /// <summary>One log of small blocks, of which the first were dropped.</summary>
    private sealed class BeginningLog(VolumeId volume, int begins, int count) : ISharedLog
    {
        public event Action? BlocksReady
        {
            add { }
            remove { }
        }

        public int Count { get; private set; } = count;

        public int HandedOut { get; private set; }

        public int Told { get; private set; }

        public bool CanDoWithout { get; set; }

        public VolumeId Volume { get; } = volume;

        public LogPositions Positions => LogPositions.Empty.With(Author, At(Count));

        public IReadOnlyList<ReadOnlyMemory<byte>> FirstKept(LogPositions held) =>
            begins > 0 && held[Author].BlockSeq < (ulong)begins ? [new byte[] { (byte)(begins + 1) }] : [];

        public ValueTask<LogBeginnings> HearBeginnings(IReadOnlyList<ReadOnlyMemory<byte>> first)
        {
            Told++;
            int behind = first[0].Span[0] - 1;
            if (CanDoWithout)
            {
                Count = Math.Max(Count, behind);
                return new(LogBeginnings.None);
            }

            return new(LogBeginnings.From([new(Author, new LogBeginning((ulong)behind, default, (ulong)behind, 1))]));
        }

        public IReadOnlyList<SharedBlock> BlocksAfter(LogPositions held, int bytesMax)
        {
            int first = (int)held[Author].BlockSeq + 1;
            int most = first <= begins ? 0 : Math.Max(0, Count - first + 1);
            HandedOut += most;
            return
            [
                .. Enumerable.Range(first, most)
                    .Select(number => new SharedBlock(Author, At(number), new byte[9])),
            ];
        }

        public ValueTask<Result<Unit, string>> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks)
        {
            Count += blocks.Count;
            return new(Unit.Value);
        }

        private static LogPosition At(int number) => new((ulong)number, (ulong)number);
    }
}
