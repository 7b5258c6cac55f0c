using System.Buffers;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;

namespace Cairn.Node.Logs;

/// <summary>Makes this node's signed blocks: new ones, and one again that cannot be read any more.</summary>
/// <remarks>
/// The fold keeps what not all members are known to have, to be undone: just what no peer may be able to give back. Encoding and
/// sealing are deterministic and a block's hash does not cover its signature, so what is made of it again is the same
/// block. What follows names that hash; another block is never stored: it would be a fork.
/// </remarks>
internal static class OwnBlock
{
    /// <summary>The block behind the end of a log.</summary>
    public static byte[] Make(ReplicatedLog log, LogId own, ChainTip tip, ReadOnlySpan<Transaction> transactions)
    {
        byte[] unsigned = Encode(log, log.Keys.Current, own, tip, transactions);
        return Sign(log, unsigned);
    }

    /// <summary>Stores a block again that was found unreadable. Reads the disk and the tail. Under the gate.</summary>
    /// <returns>False, and nothing is done, if what was in it cannot be told any more, or not with certainty.</returns>
    public static bool TryMakeAgain(ReplicatedLog log, LogId own, ulong seq)
    {
        if (own.Author != log.Ports.Identity.Node
            || Before(log, own, seq) is not { } before || After(log, own, seq) is not { } after
            || after.LastTransaction <= before.TransactionSeq)
        {
            return false;
        }

        Transaction[] transactions = [.. log.Fold.KeptOf(own, before.TransactionSeq + 1, after.LastTransaction)];
        if ((ulong)transactions.Length != after.LastTransaction - before.TransactionSeq)
        {
            return false;
        }

        foreach (EpochKey epoch in log.Keys.Epochs)
        {
            byte[] unsigned = Encode(log, epoch, own, before, transactions);
            if (LogBlockCodec.Hash(LogBlockCodec.Sign(unsigned, new byte[LogBlock.SignatureSize])) == after.Previous
                && log.Ports.Blocks.Append(log.Volume, own, seq, Sign(log, unsigned)).IsOk
                && log.Ports.ReadBlock(log.Volume, own, seq) is not null)
            {
                log.Report(own, $"block {seq} could not be read, and was made again of what it had done");
                return true;
            }
        }

        return false;
    }

    /// <summary>Where the log ended when the block was made; null if that cannot be read.</summary>
    private static ChainTip? Before(ReplicatedLog log, LogId own, ulong seq) =>
        log.Exchange.BeginningOf(own) is var begins && begins.BlockSeq + 1 == seq
            ? new ChainTip(begins.BlockSeq, begins.Hash, begins.TransactionSeq)
            : log.Ports.ReadBlock(log.Volume, own, seq - 1) is { } read
                ? new ChainTip(seq - 1, LogBlockCodec.Hash(read.Encoded), read.Block.LastTransaction)
                : null;

    /// <summary>The block's hash and its last transaction, as what follows says them; null if nothing does.</summary>
    private static (BlockHash Previous, ulong LastTransaction)? After(ReplicatedLog log, LogId own, ulong seq) =>
        log.Exchange.TipOf(own) is var tip && tip.BlockSeq == seq ? (tip.Hash, tip.TransactionSeq)
            : log.Ports.ReadBlock(log.Volume, own, seq + 1) is { } read
                ? (read.Block.Previous, read.Block.FirstTransaction - 1)
                : null;

    private static byte[] Encode(
        ReplicatedLog log, EpochKey epoch, LogId own, ChainTip tip, ReadOnlySpan<Transaction> transactions)
    {
        var run = new ArrayBufferWriter<byte>(64 * 1024);
        TransactionCodec.EncodeRun(transactions, run);
        byte[] payload = new byte[run.WrittenCount + LogCipher.Overhead];
        LogCipher.Seal(epoch, log.Volume, own, tip.BlockSeq + 1, run.WrittenSpan, payload);
        return LogBlockCodec.EncodeUnsigned(new LogBlock(
            log.Volume, own, tip.BlockSeq + 1, transactions[0].Id.Seq, transactions[^1].Id.Seq, tip.Hash, epoch.Id,
            payload, ReadOnlyMemory<byte>.Empty));
    }

    private static byte[] Sign(ReplicatedLog log, byte[] unsigned)
    {
        Span<byte> signature = stackalloc byte[LogBlock.SignatureSize];
        log.Ports.Identity.Sign(unsigned, signature);
        return LogBlockCodec.Sign(unsigned, signature);
    }
}
