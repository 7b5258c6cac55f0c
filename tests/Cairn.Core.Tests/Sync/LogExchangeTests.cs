using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;

namespace Cairn.Core.Tests.Sync;

public sealed class LogExchangeTests
{
    private static readonly VolumeId Volume = new(Filled(1, VolumeId.Size));
    private static readonly LogId A = new(new NodeId(Filled(2, NodeId.Size)), 1);
    private static readonly LogId B = new(new NodeId(Filled(3, NodeId.Size)), 1);

    [Fact]
    public void Peers_find_out_what_each_lacks()
    {
        LogExchange one = Holding(A, 3);
        LogExchange two = Holding(A, 1);
        Fill(two, B, 2);
        Assert.Equal([new BlockRange(A, 2, 3)], one.ToSend(two.Positions));
        Assert.Equal([new BlockRange(B, 1, 2)], two.ToSend(one.Positions));
        Assert.Empty(one.ToSend(one.Positions));
    }

    [Fact]
    public void A_block_is_next_held_or_too_early()
    {
        List<byte[]> blocks = Chain(A, 3);
        LogExchange one = Holding(A, 1);
        Assert.Equal(BlockVerdict.Held, Judge(one, blocks[0]));
        Assert.Equal(BlockVerdict.Next, Judge(one, blocks[1]));
        Assert.Equal(BlockVerdict.Gap, Judge(one, blocks[2]));
    }

    [Fact]
    public void Two_blocks_at_one_place_are_a_fork()
    {
        LogExchange one = Holding(A, 3);
        List<byte[]> other = Chain(A, 4, payload: 9);
        Assert.Equal(BlockVerdict.Fork, Judge(one, other[1]));
        Assert.Equal(BlockVerdict.Fork, Judge(one, other[2]));
        Assert.Equal(BlockVerdict.Fork, Judge(one, other[3]));
        Assert.Equal(BlockVerdict.Next, Judge(one, Chain(A, 4)[3]));
    }

    [Fact]
    public void A_block_of_another_volume_or_with_a_gap_in_its_transactions_is_misplaced()
    {
        LogExchange one = Holding(A, 1);
        LogBlock next = LogBlockCodec.Decode(Chain(A, 2)[1]).Value;
        Assert.Equal(BlockVerdict.Misplaced, one.Judge(next with { Volume = default }, default));
        Assert.Equal(BlockVerdict.Misplaced,
            one.Judge(next with { FirstTransaction = 9, LastTransaction = 9 }, default));
    }

    [Fact]
    public void Signing_the_same_block_again_is_no_fork()
    {
        LogExchange one = Holding(A, 2);
        byte[] block = Chain(A, 2)[1];
        byte[] again = LogBlockCodec.Sign(LogBlockCodec.SignedBytes(block), Filled(77, LogBlock.SignatureSize));
        Assert.Equal(BlockVerdict.Held, Judge(one, again));
    }

    [Fact]
    public void A_log_that_begins_later_goes_on_like_any_other_and_gives_nobody_what_was_dropped()
    {
        List<byte[]> blocks = Chain(A, 5);
        LogExchange one = Holding(A, 4);
        one.Begin(A, Behind(blocks, 2));
        Assert.Equal(At2(4), one.Positions);
        Assert.Equal([new BlockRange(A, 3, 4)], one.ToSend(At2(2)));
        Assert.Empty(one.ToSend(At2(1)));
        Assert.Empty(one.ToSend(LogPositions.Empty));
        Assert.Equal(LogBeginnings.From([new(A, Behind(blocks, 2))]), one.Beginnings);
        Assert.Equal(one.Beginnings, one.Beginnings.Beyond(At2(1)));
        Assert.Equal(LogBeginnings.None, one.Beginnings.Beyond(At2(2)));
        Assert.Equal(BlockVerdict.Held, Judge(one, blocks[0]));
        Assert.Equal(BlockVerdict.Next, Judge(one, blocks[4]));

        // It never begins earlier again, and damage takes nothing of what is before it.
        one.Begin(A, Behind(blocks, 1));
        one.Restore(A, default);
        Assert.Equal((Behind(blocks, 2), At2(2)), (one.BeginningOf(A), one.Positions));
        Assert.Equal(BlockVerdict.Next, Judge(one, blocks[2]));
    }

    [Fact]
    public void Who_has_nothing_of_a_log_begins_where_its_state_ends()
    {
        List<byte[]> blocks = Chain(A, 5);
        var one = new LogExchange(Volume, (_, _) => null);
        one.Begin(A, Behind(blocks, 3));
        Assert.Equal(At2(3), one.Positions);
        Assert.Equal(BlockVerdict.Gap, Judge(one, blocks[4]));
        one.Accept(LogBlockCodec.Decode(blocks[3]).Value, LogBlockCodec.Hash(blocks[3]));
        Assert.Equal([new BlockRange(A, 4, 4)], one.ToSend(At2(3)));
    }

    [Fact]
    public void A_fork_at_or_behind_the_beginning_is_noticed_and_before_it_nobody_can_tell()
    {
        List<byte[]> blocks = Chain(A, 5);
        List<byte[]> other = Chain(A, 5, payload: 9);
        var one = new LogExchange(Volume, (_, seq) => LogBlockCodec.Hash(blocks[(int)seq - 1]));
        one.Begin(A, Behind(blocks, 3));
        Assert.Equal(BlockVerdict.Fork, Judge(one, other[3]));
        one.Accept(LogBlockCodec.Decode(blocks[3]).Value, LogBlockCodec.Hash(blocks[3]));
        Assert.Equal(BlockVerdict.Fork, Judge(one, other[3]));
        Assert.Equal(BlockVerdict.Fork, Judge(one, other[2]));
        Assert.Equal(BlockVerdict.Held, Judge(one, other[1]));
    }

    [Fact]
    public void What_is_stable_waits_for_everybody()
    {
        NodeId[] members = [A.Author, B.Author];
        var tracker = new StabilityTracker();
        LogPositions held = At((A, 10), (B, 5));
        Assert.Equal(LogPositions.Empty, tracker.Stable(members, A.Author, held));
        tracker.Said(B.Author, At((A, 7), (B, 5)));
        Assert.Equal(At((A, 7), (B, 5)), tracker.Stable(members, A.Author, held));
        tracker.Said(B.Author, At((A, 9), (B, 6)));
        Assert.Equal(LogPositions.Empty, tracker.Stable(members, A.Author, held));
        Assert.Equal(At((A, 9), (B, 6)), tracker.Stable(members, A.Author, At((A, 10), (B, 6))));
        tracker.Said(B.Author, At((A, 1)));
        Assert.Equal(At((A, 9), (B, 6)), tracker.SaidBy(B.Author));
    }

    private static LogBeginning Behind(List<byte[]> blocks, int last) =>
        new((ulong)last, LogBlockCodec.Hash(blocks[last - 1]), (ulong)last * 2, 50);

    private static LogPositions At2(ulong block) => LogPositions.From([new(A, new LogPosition(block, block * 2))]);

    private static LogPositions At(params (LogId Log, ulong Seq)[] logs) =>
        LogPositions.From(logs.Select(log => KeyValuePair.Create(log.Log, new LogPosition(0, log.Seq))));

    private static BlockVerdict Judge(LogExchange exchange, byte[] block) =>
        exchange.Judge(LogBlockCodec.Decode(block).Value, LogBlockCodec.Hash(block));

    private static LogExchange Holding(LogId log, int count)
    {
        List<byte[]> stored = Chain(log, count);
        var exchange = new LogExchange(Volume, (_, seq) => LogBlockCodec.Hash(stored[(int)seq - 1]));
        Fill(exchange, log, count);
        return exchange;
    }

    private static void Fill(LogExchange exchange, LogId log, int count)
    {
        foreach (byte[] block in Chain(log, count))
        {
            exchange.Accept(LogBlockCodec.Decode(block).Value, LogBlockCodec.Hash(block));
        }
    }

    private static List<byte[]> Chain(LogId log, int count, byte payload = 0)
    {
        var blocks = new List<byte[]>();
        BlockHash previous = default;
        for (ulong seq = 1; seq <= (ulong)count; seq++)
        {
            blocks.Add(LogBlockCodec.Encode(new LogBlock(
                Volume, log, seq, (seq * 2) - 1, seq * 2, previous, default, new byte[] { payload, (byte)seq },
                Filled(5, LogBlock.SignatureSize))));
            previous = LogBlockCodec.Hash(blocks[^1]);
        }

        return blocks;
    }

    private static byte[] Filled(byte value, int length)
    {
        byte[] bytes = new byte[length];
        bytes.AsSpan().Fill(value);
        return bytes;
    }
}
