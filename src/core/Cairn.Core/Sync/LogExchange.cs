using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Sync;

/// <summary>
/// What is held of every log of one volume, what to send to a peer, what to ask of it, and whether a block fits.
/// </summary>
/// <remarks>
/// Invariant: of every log a run is held from where it begins, chained by hash, without gaps: from its first block, if its
/// older ones were not dropped. No signatures, no I/O: the caller checks and stores between <see cref="Judge"/> and
/// <see cref="Accept"/>.
/// </remarks>
public sealed class LogExchange
{
    private readonly VolumeId _volume;
    private readonly Func<LogId, ulong, BlockHash?> _heldHash;
    private readonly SortedDictionary<LogId, ChainTip> _tips = [];
    private readonly SortedDictionary<LogId, LogBeginning> _beginnings = [];
    private LogPositions? _positions;
    private LogBeginnings? _begun;

    /// <summary>Nothing held.</summary>
    /// <param name="volume">Whose logs.</param>
    /// <param name="heldHash">
    /// The hash of a stored block, or null if it cannot be told (any more): used to notice forks.
    /// </param>
    public LogExchange(VolumeId volume, Func<LogId, ulong, BlockHash?> heldHash)
    {
        _volume = volume;
        _heldHash = heldHash;
    }

    /// <summary>How far every log is held.</summary>
    public LogPositions Positions => _positions ??= LogPositions.From(
        _tips.Select(tip => KeyValuePair.Create(tip.Key, tip.Value.Position)));

    /// <summary>Where the logs begin whose older blocks were dropped here, or never came.</summary>
    public LogBeginnings Beginnings => _begun ??= LogBeginnings.From(_beginnings);

    /// <summary>The members of which a second block at one place came, signed by them.</summary>
    public ImmutableSortedSet<NodeId> Forked { get; private set; } = [];

    /// <summary>A block that <see cref="Judge"/> called a fork is signed by its author.</summary>
    public void NoteFork(NodeId author) => Forked = Forked.Add(author);

    /// <summary>The end of a log; zeros if nothing of it is held, and where it begins if nothing is held behind that.</summary>
    public ChainTip TipOf(LogId log) => _tips.GetValueOrDefault(log);

    /// <summary>Where a log begins.</summary>
    public LogBeginning BeginningOf(LogId log) => _beginnings.GetValueOrDefault(log);

    /// <summary>A log begins here from now on: what is before counts as held, and is sent to nobody.</summary>
    /// <remarks>A log that begins later already is left as it is. Less of it may be held than that.</remarks>
    public void Begin(LogId log, LogBeginning beginning)
    {
        Invariant.That(beginning.IsPossible, $"{log} cannot begin behind {beginning}");
        if (beginning.BlockSeq <= BeginningOf(log).BlockSeq)
        {
            return;
        }

        _beginnings[log] = beginning;
        _begun = null;
        if (TipOf(log).BlockSeq < beginning.BlockSeq)
        {
            Restore(log, default);
        }
    }

    /// <summary>
    /// Says what is held of a log: at start, after a checkpoint was taken over, or when damage took its end.
    /// </summary>
    /// <param name="log">Which log.</param>
    /// <param name="tip">Its end; zeros when nothing of it is held. Not before where it begins.</param>
    public void Restore(LogId log, ChainTip tip)
    {
        LogBeginning beginning = BeginningOf(log);
        if (tip.BlockSeq < beginning.BlockSeq)
        {
            tip = new ChainTip(beginning.BlockSeq, beginning.Hash, beginning.TransactionSeq);
        }

        if (tip.BlockSeq == 0)
        {
            _tips.Remove(log);
        }
        else
        {
            _tips[log] = tip;
        }

        _positions = null;
    }

    /// <summary>
    /// What a block is to its log. <paramref name="hash"/> is <see cref="LogBlockCodec.Hash"/> of its bytes.
    /// </summary>
    public BlockVerdict Judge(LogBlock block, BlockHash hash)
    {
        if (block.Volume != _volume)
        {
            return BlockVerdict.Misplaced;
        }

        ChainTip tip = TipOf(block.Log);
        if (block.Seq <= tip.BlockSeq)
        {
            BlockHash? held = block.Seq == tip.BlockSeq ? tip.Hash : HashOf(block.Log, block.Seq);
            return held is null || held == hash ? BlockVerdict.Held : BlockVerdict.Fork;
        }

        if (block.Seq > tip.BlockSeq + 1)
        {
            return BlockVerdict.Gap;
        }

        if (block.Previous != tip.Hash)
        {
            return BlockVerdict.Fork;
        }

        return block.FirstTransaction == tip.TransactionSeq + 1 ? BlockVerdict.Next : BlockVerdict.Misplaced;
    }

    /// <summary>Notes that a block judged <see cref="BlockVerdict.Next"/> was verified and stored.</summary>
    public void Accept(LogBlock block, BlockHash hash)
    {
        Invariant.That(Judge(block, hash) == BlockVerdict.Next,
            $"block {block.Seq} of {block.Log} is not the next one");
        ChainTip tip = new(block.Seq, hash, block.LastTransaction);
        _tips[block.Log] = tip;
        _positions = _positions?.With(block.Log, tip.Position);
    }

    /// <summary>
    /// Blocks held here that a peer at <paramref name="theirs"/> lacks, in the order of the logs' ids; none of a log of
    /// which it lacks blocks that were dropped here: it could not take in what follows.
    /// </summary>
    public IReadOnlyList<BlockRange> ToSend(LogPositions theirs)
    {
        var ranges = new List<BlockRange>();
        foreach ((LogId log, ulong has, ulong last) in Positions.Beyond(theirs))
        {
            if (has >= BeginningOf(log).BlockSeq)
            {
                ranges.Add(new BlockRange(log, has + 1, last));
            }
        }

        return ranges;
    }

    /// <summary>The hash of a block before the last; null for one that was dropped, but for the last of those.</summary>
    private BlockHash? HashOf(LogId log, ulong seq)
    {
        LogBeginning beginning = BeginningOf(log);
        return seq == beginning.BlockSeq ? beginning.Hash
            : seq < beginning.BlockSeq ? null
            : _heldHash(log, seq);
    }
}
