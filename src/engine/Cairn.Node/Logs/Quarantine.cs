using System.Buffers;
using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>Blocks past their author's last accepted one: kept and passed on, their transactions without effect.</summary>
/// <remarks>
/// The transactions keep their place in the order: others may have built on them before they heard of the revocation, and
/// what they wrote must not wait for ever. Which blocks those are stands in the table, so that it is never older or newer
/// than what was folded. docs/decisions/quarantine.md.
/// </remarks>
internal sealed class Quarantine(IMembers members)
{
    /// <summary>What a transaction does that must do nothing.</summary>
    private static readonly ImmutableArray<Primitive> NoEffect = [new Rescue([])];

    private static byte[] Key => [FoldKeys.Reserved, (byte)'Q'];

    /// <summary>Whether a block lies past what is accepted of its author.</summary>
    public bool Holds(LogId log, ulong blockSeq) => members.StandingOf(log, blockSeq) == AuthorStanding.Revoked;

    /// <summary>The transactions of a block as they are folded.</summary>
    public ImmutableArray<Transaction> Judge(LogId log, ulong blockSeq, ImmutableArray<Transaction> transactions) =>
        Holds(log, blockSeq)
            ? [.. transactions.Select(static transaction => transaction with { Primitives = NoEffect })]
            : transactions;

    /// <summary>Whether the table was folded under another judgement of what is held.</summary>
    public bool IsOutdated(ITreeTable table, LogPositions held) =>
        !table.Get(Key).AsSpan().SequenceEqual(FirstBlocks(held));

    /// <summary>Notes in the table under which judgement it was folded.</summary>
    public void Note(ITreeTable table, LogPositions held)
    {
        byte[] blocks = FirstBlocks(held);
        table.Put(Key, blocks.Length == 0 ? null : blocks);
    }

    /// <summary>The first block in quarantine of every log that has one.</summary>
    private byte[] FirstBlocks(LogPositions held)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        foreach ((LogId log, LogPosition position) in held.Logs)
        {
            if (position.BlockSeq == 0 || !Holds(log, position.BlockSeq))
            {
                continue;
            }

            (ulong low, ulong high) = (1, position.BlockSeq);
            while (low < high)
            {
                ulong middle = (low + high) / 2;
                (low, high) = Holds(log, middle) ? (low, middle) : (middle + 1, high);
            }

            writer.Bytes32(log.Author.Value);
            writer.VarUInt(log.Incarnation);
            writer.VarUInt(low);
        }

        return output.WrittenSpan.ToArray();
    }
}
