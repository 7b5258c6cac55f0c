using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Log;

public sealed class CausalReaderTests
{
    private static readonly LogId A = Id(1);
    private static readonly LogId B = Id(2);

    [Fact]
    public void Nothing_comes_before_what_its_author_had_seen_and_nothing_is_left_out()
    {
        OpenedBlock[] all =
        [
            Block(A, 1, Of(A, 1, (B, 1))),
            Block(A, 2, Of(A, 2)),
            Block(B, 1, Of(B, 1)),
            Block(B, 2, Of(B, 2, (A, 2)), Of(B, 3)),
        ];
        CausalReader reader = new(LogPositions.Empty);
        Assert.Equal(
            [(B, 1UL), (A, 1UL), (A, 2UL), (B, 2UL)],
            reader.Take(all).Select(block => (block.Log, block.Position.BlockSeq)));
        Assert.Equal(new LogPosition(2, 3), reader.Position[B]);
        Assert.Empty(reader.Take(all));
    }

    [Fact]
    public void What_waits_for_another_log_is_taken_when_that_comes()
    {
        OpenedBlock early = Block(A, 1, Of(A, 1, (B, 1)));
        CausalReader reader = new(LogPositions.Empty);
        Assert.Empty(reader.Take([early]));
        Assert.Equal(LogPositions.Empty, reader.Position);
        Assert.Equal(2, reader.Take([early, Block(B, 1, Of(B, 1))]).Count);
    }

    [Fact]
    public void A_block_behind_a_gap_is_not_taken() =>
        Assert.Empty(new CausalReader(LogPositions.Empty).Take([Block(A, 2, Of(A, 2))]));

    private static OpenedBlock Block(LogId log, ulong seq, params Transaction[] transactions) =>
        new(log, new LogPosition(seq, transactions[^1].Id.Seq), [.. transactions]);

    private static Transaction Of(LogId log, ulong seq, params (LogId Log, ulong Seq)[] needs) => new(
        new TransactionId(log, seq), [.. needs.Select(need => new TransactionId(need.Log, need.Seq))], default, []);

    private static LogId Id(byte number) =>
        new(new NodeId(new Bytes32([.. Enumerable.Repeat(number, Bytes32.Size)])), 1);
}
