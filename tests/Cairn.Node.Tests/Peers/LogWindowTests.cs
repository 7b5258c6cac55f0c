using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Peers;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Peers;

/// <summary>A long history reaches a member that takes it in slowly: a part at a time, and no part twice.</summary>
public sealed class LogWindowTests
{
    private const int Blocks = 64;
    private const int BlockBytes = 1 << 20;
    private static readonly LogId Author = new(new NodeId(new Bytes32("who wrote the long history here."u8)), 1);

    [Fact]
    public void WhatASlowMemberHasNotTakenIn_WaitsWithTheSender()
    {
        PoolBench bench = PoolBench.Of(2, 81);
        BenchNode sender = bench.Nodes[0];
        BenchNode taker = bench.Nodes[1];
        LongLog? sent = null;
        LongLog? taken = null;
        sender.Log = volume => sent = new LongLog(volume, Blocks, sender.Process);
        taker.Log = volume => taken = new LongLog(volume, 0, taker.Process);
        foreach (BenchNode node in bench.Nodes)
        {
            node.Kill();
            node.Start();
        }

        bench.Ok(sender, () => sender.Node.CreateVolume("long", default).AsTask());
        int mostOnTheWay = 0;
        bench.Until(
            () =>
            {
                mostOnTheWay = Math.Max(mostOnTheWay, (sent?.HandedOut ?? 0) - (taken?.Count ?? 0));
                return taken?.Count == Blocks;
            },
            "all taken in");

        // A window of 16 MiB, and the message that filled it.
        Assert.InRange(mostOnTheWay, 8, 20);
        Assert.Equal(Blocks, sent!.HandedOut);
    }

    /// <summary>Blocks of one log, numbered from 1, that are stored at one a second.</summary>
    private sealed class LongLog(VolumeId volume, int count, SimulatedProcess process) : ISharedLog
    {
        public event Action? BlocksReady
        {
            add { }
            remove { }
        }

        public int Count { get; private set; } = count;

        public int HandedOut { get; private set; }

        public VolumeId Volume { get; } = volume;

        public LogPositions Positions => LogPositions.Empty.With(Author, At(Count));

        public IReadOnlyList<SharedBlock> BlocksAfter(LogPositions held, int bytesMax)
        {
            int first = (int)held[Author].BlockSeq + 1;
            int most = Math.Min(Count - first + 1, Math.Max(1, bytesMax / BlockBytes));
            SharedBlock[] blocks =
            [
                .. Enumerable.Range(first, Math.Max(0, most))
                    .Select(number => new SharedBlock(Author, At(number), new byte[BlockBytes])),
            ];
            HandedOut += blocks.Length;
            return blocks;
        }

        public async ValueTask<Result<Unit, string>> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks)
        {
            foreach (ReadOnlyMemory<byte> _ in blocks)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), process.Time);
                Count++;
            }

            return Unit.Value;
        }

        private static LogPosition At(int number) => new((ulong)number, (ulong)number);
    }
}
