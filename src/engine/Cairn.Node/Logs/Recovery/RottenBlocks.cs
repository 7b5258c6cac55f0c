using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;

namespace Cairn.Node.Logs.Recovery;

/// <summary>Own blocks side by side that cannot be read any more, made again.</summary>
/// <remarks>
/// The fold keeps what not all members are known to have, to be undone: just what no peer may be able to give back. What
/// is made of it again is the same block as long as it begins and ends where that did. What follows names its hash;
/// another block is never stored: it would be a fork. Where one of several ended stands in none that is left, so each end
/// is tried. Under the log's gate.
/// </remarks>
internal sealed class RottenBlocks
{
    /// <summary>More is not made and thrown away in the search for an end: a second's work, under the log's gate.</summary>
    private const long BytesTriedMax = 256L << 20;

    /// <summary>What a try costs beside its bytes: a block of one small transaction is signed over and hashed like any other.</summary>
    private const int BytesEachTry = 16 << 10;

    private readonly ReplicatedLog _log;
    private readonly LogId _own;
    private readonly BlockHash _last;
    private readonly Transaction[] _transactions;
    private readonly int[] _bytes;
    private readonly List<byte[]> _made = [];
    private long _bytesTried;

    /// <summary>What is looked for, and in what.</summary>
    internal readonly record struct Search(LogId Own, ulong First, ulong Last, int Kept, int Epochs);

    private RottenBlocks(ReplicatedLog log, LogId own, BlockHash last, Transaction[] transactions)
    {
        _log = log;
        _own = own;
        _last = last;
        _transactions = transactions;
        _bytes = [.. transactions.Select(static transaction => TransactionCodec.Encode(transaction).Length)];
    }

    /// <summary>Stores a block again that was found unreadable, with those beside it that are. Reads the disk and the tail.</summary>
    /// <returns>False, and nothing is done, if what was in it cannot be told any more, or not with certainty.</returns>
    public static bool TryMakeAgain(ReplicatedLog log, LogId own, ulong seq)
    {
        ulong begins = log.Exchange.BeginningOf(own).BlockSeq;
        ulong ends = Math.Max(log.Exchange.TipOf(own).BlockSeq, log.Ports.Blocks.LastSeq(log.Volume, own));
        if (own.Author != log.Ports.Identity.Node || seq <= begins)
        {
            return false;
        }

        ulong first = seq;
        while (first - 1 > begins && !CanRead(log, own, first - 1))
        {
            first--;
        }

        ulong last = seq;
        while (last < ends && !CanRead(log, own, last + 1))
        {
            last++;
        }

        if (Before(log, own, first) is not { } before || After(log, own, last) is not { } after
            || after.LastTransaction <= before.TransactionSeq)
        {
            return false;
        }

        Transaction[] kept = [.. log.Fold.KeptOf(own, before.TransactionSeq + 1, after.LastTransaction)];
        int count = (int)(last - first + 1);
        if ((ulong)kept.Length != after.LastTransaction - before.TransactionSeq || kept.Length < count)
        {
            return false;
        }

        // What was looked for in vain is not looked for each time that somebody asks.
        Search search = new(own, first, last, kept.Length, log.Keys.Epochs.Length);
        if (log.Repair.SearchedInVain.Contains(search))
        {
            return false;
        }

        var rotten = new RottenBlocks(log, own, after.Previous, kept);
        if (!rotten.TryFind(before, 0, count))
        {
            log.Repair.SearchedInVain.Add(search);
            return false;
        }

        return rotten.TryStore(first) && CanRead(log, own, seq);
    }

    /// <summary>Finds the blocks that some of the transactions make, so that the last has the hash it had.</summary>
    /// <param name="tip">What stands before them.</param>
    /// <param name="from">Those from here on.</param>
    /// <param name="count">How many blocks.</param>
    private bool TryFind(ChainTip tip, int from, int count)
    {
        int bytes = 0;
        for (int end = from + 1; end <= _transactions.Length - count + 1; end++)
        {
            bytes += _bytes[end - 1];
            if (bytes > Transaction.EncodedBytesMax && end > from + 1)
            {
                return false;
            }

            if ((count > 1 || end == _transactions.Length) && TryEnd(tip, from, end, count, bytes))
            {
                return true;
            }
        }

        return false;
    }

    private bool TryEnd(ChainTip tip, int from, int end, int count, int bytes)
    {
        foreach (EpochKey epoch in _log.Keys.Epochs)
        {
            _bytesTried += bytes + BytesEachTry;
            if (_bytesTried > BytesTriedMax)
            {
                return false;
            }

            byte[] unsigned = OwnBlock.Encode(_log, epoch, _own, tip, _transactions.AsSpan(from..end));
            BlockHash hash = LogBlockCodec.Hash(LogBlockCodec.Sign(unsigned, new byte[LogBlock.SignatureSize]));
            _made.Add(unsigned);
            if (count == 1
                ? hash == _last
                : TryFind(new ChainTip(tip.BlockSeq + 1, hash, _transactions[end - 1].Id.Seq), end, count - 1))
            {
                return true;
            }

            _made.RemoveAt(_made.Count - 1);
        }

        return false;
    }

    private bool TryStore(ulong first)
    {
        for (int i = 0; i < _made.Count; i++)
        {
            ulong seq = first + (ulong)i;
            if (!_log.Ports.Blocks.Append(_log.Volume, _own, seq, OwnBlock.Sign(_log, _made[i])).IsOk)
            {
                return false;
            }

            _log.Report(_own, $"block {seq} could not be read, and was made again of what it had done");
        }

        return true;
    }

    private static bool CanRead(ReplicatedLog log, LogId own, ulong seq) =>
        log.Ports.ReadBlock(log.Volume, own, seq) is not null;

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
}
