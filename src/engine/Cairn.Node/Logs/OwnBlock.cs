using System.Buffers;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;

namespace Cairn.Node.Logs;

/// <summary>Makes this node's signed blocks.</summary>
/// <remarks>
/// Encoding and sealing are deterministic and a block's hash does not cover its signature: the same transactions are the same
/// block.
/// </remarks>
internal static class OwnBlock
{
    /// <summary>The block behind the end of a log.</summary>
    public static byte[] Make(ReplicatedLog log, LogId own, ChainTip tip, ReadOnlySpan<Transaction> transactions) =>
        Sign(log, Encode(log, log.Keys.Current, own, tip, transactions));

    /// <summary>The block that some transactions make under a key, without its signature.</summary>
    public static byte[] Encode(
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

    /// <summary>The block with its signature.</summary>
    public static byte[] Sign(ReplicatedLog log, byte[] unsigned)
    {
        Span<byte> signature = stackalloc byte[LogBlock.SignatureSize];
        log.Ports.Identity.Sign(unsigned, signature);
        return LogBlockCodec.Sign(unsigned, signature);
    }
}
