using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Checkpoints;

namespace Cairn.Node.Logs;

/// <summary>What logs hold, read from the blocks held here, as far as they were sealed.</summary>
/// <remarks>
/// A block that cannot be read ends it. A log that begins later is read from there on: who needs what was before asks
/// <see cref="LogCompaction.Beginnings"/>. Thread: any; it needs no gate.
/// </remarks>
internal static class LogHistory
{
    /// <summary>Every log up to the last transaction that is sealed now.</summary>
    public static IReadOnlyList<IEnumerable<Transaction>> Of(ReplicatedLog log) =>
        [.. log.Positions.Logs.Select(held => Read(log, held.Key, 1, held.Value.BlockSeq))];

    /// <summary>Of every log what is stored and not folded, read when asked for. Under the gate.</summary>
    /// <remarks>A log of which that cannot be read ends before it: peers send it again.</remarks>
    public static IEnumerable<IEnumerable<Transaction>> Unfolded(ReplicatedLog log)
    {
        foreach ((LogId id, LogPosition held) in log.Exchange.Positions.Logs)
        {
            ulong known = log.Fold.LastOf(id);
            ulong first = known < held.TransactionSeq ? FirstBehind(log, id, known, held.BlockSeq) : ulong.MaxValue;
            if (first <= held.BlockSeq
                && (log.Ports.ReadBlock(log.Volume, id, first) is not null || log.Repair.Lose(id, first)))
            {
                yield return Read(log, id, first, held.BlockSeq);
            }
        }
    }

    /// <summary>One log from block to block, read when asked for.</summary>
    public static IEnumerable<Transaction> Read(ReplicatedLog log, LogId id, ulong firstBlock, ulong lastBlock)
    {
        ulong begins = log.Compaction.BeginningOf(id).BlockSeq;
        for (ulong seq = Math.Max(firstBlock, begins + 1); seq <= lastBlock; seq++)
        {
            if (log.Ports.ReadBlock(log.Volume, id, seq)?.Block is not { } block
                || !BlockPayload.Open(log.Keys, block).TryGet(out ImmutableArray<Transaction> run, out _))
            {
                log.Repair.TellUnreadable(id, seq);
                yield break;
            }

            foreach (Transaction transaction in log.Quarantine.Judge(id, seq, run))
            {
                yield return transaction;
            }
        }
    }

    /// <summary>The first block that ends behind a transaction, or that cannot be read.</summary>
    private static ulong FirstBehind(ReplicatedLog log, LogId id, ulong known, ulong last)
    {
        (ulong low, ulong high) = (log.Exchange.BeginningOf(id).BlockSeq + 1, last);
        while (low < high)
        {
            ulong middle = low + ((high - low) / 2);
            bool isFolded = log.Ports.ReadBlock(log.Volume, id, middle)?.Block.LastTransaction <= known;
            (low, high) = isFolded ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>Blocks that somebody lacks, in order per log; none of logs of which it lacks blocks that were dropped here.</summary>
    public static IReadOnlyList<HeldBlock> BlocksAfter(ReplicatedLog log, LogPositions theirs, int bytesMax)
    {
        var blocks = new List<HeldBlock>();
        int bytes = 0;
        foreach ((LogId id, ulong has, ulong last) in log.Positions.Beyond(theirs))
        {
            if (has < log.Compaction.BeginningOf(id).BlockSeq)
            {
                continue;
            }

            for (ulong seq = has + 1; seq <= last; seq++)
            {
                if (!log.Ports.Blocks.Read(log.Volume, id, seq).TryGet(out byte[]? encoded, out _)
                    || !LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out _))
                {
                    lock (log.Gate)
                    {
                        if (!log.Repair.Lose(id, seq))
                        {
                            break;
                        }
                    }

                    seq--;
                    continue;
                }

                if (blocks.Count > 0 && bytes + encoded.Length > bytesMax)
                {
                    return blocks;
                }

                bytes += encoded.Length;
                blocks.Add(new HeldBlock(id, new LogPosition(seq, block.LastTransaction), encoded));
            }
        }

        return blocks;
    }
}
