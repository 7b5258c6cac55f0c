using System.Buffers;
using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs.Recovery;

/// <summary>Blocks past their author's last accepted one: kept and passed on, their transactions without effect.</summary>
/// <remarks>
/// The transactions keep their place in the order: others may have built on them before they heard of the revocation, and
/// what they wrote must not wait for ever. Which blocks those are stands in the table, so that it is never older or newer
/// than what was folded. docs/decisions/quarantine.md.
/// </remarks>
/// <param name="members">Who is accepted how far.</param>
/// <param name="isSettled">Whether a block is in the ground of the fold: there it stays what it was when that was made.</param>
internal sealed class Quarantine(IMembers members, Func<LogId, ulong, bool> isSettled)
{
    /// <summary>What a transaction does that must do nothing.</summary>
    private static readonly ImmutableArray<Primitive> NoEffect = [new Rescue([])];

    /// <summary>Behind <see cref="FoldKeys.Reserved"/>: which blocks were folded without effect.</summary>
    internal const byte Tag = (byte)'Q';

    private static byte[] Key => [FoldKeys.Reserved, Tag];

    /// <summary>Whether a block lies past what is accepted of its author.</summary>
    public bool Holds(LogId log, ulong blockSeq) =>
        members.StandingOf(log, blockSeq) == AuthorStanding.Revoked && !isSettled(log, blockSeq);

    /// <summary>The transactions of a block as they are folded.</summary>
    public ImmutableArray<Transaction> Judge(LogId log, ulong blockSeq, ImmutableArray<Transaction> transactions) =>
        Holds(log, blockSeq) ? WithoutEffect(transactions) : transactions;

    /// <summary>Transactions that keep their place and do nothing.</summary>
    public static ImmutableArray<Transaction> WithoutEffect(ImmutableArray<Transaction> transactions) =>
        [.. transactions.Select(static transaction => transaction with { Primitives = NoEffect })];

    /// <summary>Whether the table was folded under another judgement of what is held, and of what it has beyond that.</summary>
    public bool IsOutdated(ITreeTable table, LogPositions held)
    {
        SortedDictionary<LogId, ulong> noted = Decode(table.Get(Key));
        SortedDictionary<LogId, ulong> now = FirstBlocks(held);
        foreach ((LogId log, ulong block) in noted)
        {
            // A copied table has it, and the block is still to come.
            if (block > held[log].BlockSeq && Holds(log, block) && (block == 1 || !Holds(log, block - 1)))
            {
                now.TryAdd(log, block);
            }
        }

        return !noted.SequenceEqual(now);
    }

    /// <summary>Notes in the table that all that is held is folded under the judgement of this moment.</summary>
    public void Note(ITreeTable table, LogPositions held) => Note(table, FirstBlocks(held));

    /// <summary>Notes in the table that a block is folded without effect.</summary>
    /// <remarks>
    /// Of this block alone: what was folded before the author was revoked has its effect until all is folded again.
    /// </remarks>
    /// <returns>Whether that was noted before: a copied table may have had the block.</returns>
    public static bool Note(ITreeTable table, LogId log, ulong blockSeq)
    {
        SortedDictionary<LogId, ulong> first = Decode(table.Get(Key));
        if (first.TryAdd(log, blockSeq))
        {
            Note(table, first);
            return false;
        }

        return first[log] <= blockSeq;
    }

    /// <summary>Whether everything that a table has was folded under the judgement of this moment.</summary>
    /// <param name="table">The table.</param>
    /// <param name="folded">How far it goes.</param>
    /// <param name="held">What is held.</param>
    /// <param name="firstIn">The first transaction of a block; 0 if it cannot be read.</param>
    public bool IsInForce(
        ITreeTable table, LogPositions folded, LogPositions held, Func<LogId, ulong, ulong> firstIn)
    {
        SortedDictionary<LogId, ulong> then = Decode(table.Get(Key));
        SortedDictionary<LogId, ulong> now = FirstBlocks(held);
        return then.Except(now).Concat(now.Except(then)).All(
            first => firstIn(first.Key, first.Value) > folded[first.Key].TransactionSeq);
    }

    private static void Note(ITreeTable table, SortedDictionary<LogId, ulong> first) =>
        table.Put(Key, first.Count == 0 ? null : Encode(first));

    /// <summary>The first block in quarantine of every log that has one.</summary>
    private SortedDictionary<LogId, ulong> FirstBlocks(LogPositions held)
    {
        SortedDictionary<LogId, ulong> first = [];
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

            first.Add(log, low);
        }

        return first;
    }

    private static byte[] Encode(SortedDictionary<LogId, ulong> first)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        foreach ((LogId log, ulong block) in first)
        {
            writer.Bytes32(log.Author.Value);
            writer.VarUInt(log.Incarnation);
            writer.VarUInt(block);
        }

        return output.WrittenSpan.ToArray();
    }

    private static SortedDictionary<LogId, ulong> Decode(byte[]? noted)
    {
        SortedDictionary<LogId, ulong> first = [];
        var reader = new WireReader(noted ?? []);
        while (!reader.Complete)
        {
            var author = new NodeId(reader.Bytes32());
            ulong incarnation = reader.VarUInt();
            ulong block = reader.VarUInt();
            Invariant.That(
                !reader.Failed && incarnation <= uint.MaxValue,
                "a fold's note of its quarantine is damaged: rebuild the index");
            first[new LogId(author, (uint)incarnation)] = block;
        }

        return first;
    }
}
