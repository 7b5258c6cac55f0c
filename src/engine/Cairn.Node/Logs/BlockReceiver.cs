using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Node.Logs.Recovery;
using Cairn.Storage;

namespace Cairn.Node.Logs;

/// <summary>Takes peers' blocks into a log: judged, checked against their signature, stored, and folded together.</summary>
/// <remarks>
/// Nothing is believed before the signature is checked, and nothing is folded that is not stored. The disk and the
/// signatures are outside the gate's lock as far as they can be. Thread: any, one call for each block.
/// </remarks>
internal sealed class BlockReceiver(
    ReplicatedLog log, OwnLogRepair repair, BlockSealer sealer, ReplicatedLogOptions options) : IDisposable
{
    private readonly BlockVerifier _verifier = new(log.Ports.Members, log.Ports.CheckSignature);
    private readonly PendingFold _pending = new(log, options);

    /// <summary>What is stored and not folded.</summary>
    public PendingFold Pending => _pending;

    /// <summary>Takes blocks in, folds them together, and says what became of each. Blocks.</summary>
    public IReadOnlyList<ReceiveOutcome> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks)
    {
        ReceiveOutcome[] outcomes = [.. blocks.Select(Accept)];
        bool isAnyTaken = outcomes.AsSpan().ContainsAny(ReceiveOutcome.Accepted, ReceiveOutcome.Quarantined);
        bool hasMore = true;
        while (hasMore)
        {
            lock (log.Gate)
            {
                Fold();
                hasMore = _pending.HasMore;
                log.Persister.WakeIf(isAnyTaken);
            }

            log.Persister.KeepUp();
        }

        return outcomes;
    }

    /// <summary>Takes a block in; it waits in memory to be folded. Blocks.</summary>
    private ReceiveOutcome Accept(ReadOnlyMemory<byte> encoded)
    {
        if (!LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out LogError bad))
        {
            return bad == LogError.NewerFormat ? ReceiveOutcome.NewerFormat : ReceiveOutcome.Invalid;
        }

        BlockHash hash = LogBlockCodec.Hash(encoded.Span);
        BlockVerdict verdict;
        lock (log.Gate)
        {
            verdict = log.Exchange.Judge(block, hash);
        }

        if (verdict is not (BlockVerdict.Next or BlockVerdict.Fork))
        {
            return verdict == BlockVerdict.Held ? ReceiveOutcome.Held
                : verdict == BlockVerdict.Gap ? ReceiveOutcome.Gap
                : ReceiveOutcome.Invalid;
        }

        AuthorStanding standing = log.Ports.Members.StandingOf(block.Log, block.Seq);
        if (standing == AuthorStanding.Unknown)
        {
            return ReceiveOutcome.UnknownAuthor;
        }

        if (!_verifier.IsSigned(block, encoded.Span))
        {
            return ReceiveOutcome.Invalid;
        }

        if (verdict == BlockVerdict.Fork)
        {
            lock (log.Gate)
            {
                log.Exchange.NoteFork(block.Log.Author);
            }

            log.Report(block.Log, $"block {block.Seq} contradicts another that its author signed; it is not folded");
            return ReceiveOutcome.Fork;
        }

        ReceiveOutcome taken = block.Log.Author == log.Ports.Identity.Node
            ? sealer.WhileIdle(() => Take(block, hash, encoded))
            : Take(block, hash, encoded);
        log.Persister.KeepUp();
        return taken;
    }

    /// <summary>Whether a block is of this volume, and signed by a member, or by one that was. Blocks.</summary>
    public bool IsGenuine(LogBlock block, ReadOnlySpan<byte> encoded) =>
        block.Volume == log.Volume
        && log.Ports.Members.StandingOf(block.Log, block.Seq) != AuthorStanding.Unknown
        && _verifier.IsSigned(block, encoded);

    /// <summary>Folds what waits, and tells what it changed. Under the gate.</summary>
    public void Fold()
    {
        _pending.Run();
        log.ReconsiderIfOverdue();
    }

    /// <inheritdoc/>
    public void Dispose() => _verifier.Dispose();

    private ReceiveOutcome Take(LogBlock block, BlockHash hash, ReadOnlyMemory<byte> encoded)
    {
        Result<ImmutableArray<Transaction>, ReceiveOutcome> payload = BlockPayload.Open(log.Keys, block);
        if (!payload.TryGet(out ImmutableArray<Transaction> transactions, out ReceiveOutcome bad))
        {
            return bad;
        }

        ReceiveOutcome outcome;
        lock (log.Gate)
        {
            if (log.Exchange.Judge(block, hash) != BlockVerdict.Next)
            {
                return ReceiveOutcome.Held;
            }

            Result<Unit, StoreError> stored = log.Ports.Blocks.Append(log.Volume, block.Log, block.Seq, encoded.Span);
            if (!stored.IsOk)
            {
                return ReceiveOutcome.StoreFailed;
            }

            log.Exchange.Accept(block, hash);
            bool isOwn = block.Log.Author == log.Ports.Identity.Node;
            List<Unsealed> contradicted = isOwn ? repair.Accepted(block) : [];
            outcome = Enter(block, transactions);
            TakeUpBehind(block.Log);
            if (isOwn)
            {
                sealer.TryAgain();
            }

            if (contradicted.Count > 0)
            {
                _pending.Run();
                log.Repair.Run();
                repair.WriteAgain(contradicted);
            }
            else if (isOwn || _pending.IsFull)
            {
                // Own blocks at once: what is written next is numbered after what is folded.
                Fold();
                while (isOwn && _pending.HasMore)
                {
                    log.Persister.PersistIfMuch();
                    Fold();
                }
            }
        }

        return outcome;
    }

    /// <summary>Lets the transactions of a block that is stored wait to be folded. Under the gate.</summary>
    private ReceiveOutcome Enter(LogBlock block, ImmutableArray<Transaction> transactions)
    {
        if (!log.Quarantine.Holds(block.Log, block.Seq))
        {
            _pending.Add(transactions);
            return ReceiveOutcome.Accepted;
        }

        bool isNoted = Quarantine.Note(log.Fold.Table, block.Log, block.Seq);
        log.Findings.Add(new LogFinding(
            log.Volume, block.Log,
            $"block {block.Seq} was written after its author was revoked: set aside, not shown"));
        _pending.Add(Quarantine.WithoutEffect(transactions));
        if (!isNoted && log.Fold.LastOf(block.Log) >= block.FirstTransaction)
        {
            // The table came from another member, with what this block did before its author was revoked.
            log.Repair.Run();
        }

        return ReceiveOutcome.Quarantined;
    }

    /// <summary>Goes on with what lies behind a hole that is filled now: nobody else need have it. Under the gate.</summary>
    private void TakeUpBehind(LogId id)
    {
        LogPorts ports = log.Ports;
        while (log.Exchange.TipOf(id).BlockSeq is ulong tip && tip < ports.Blocks.LastSeq(log.Volume, id)
            && ports.ReadBlock(log.Volume, id, tip + 1) is { } next
            && LogBlockCodec.Hash(next.Encoded) is BlockHash hash
            && log.Exchange.Judge(next.Block, hash) == BlockVerdict.Next
            && BlockPayload.Open(log.Keys, next.Block).TryGet(out ImmutableArray<Transaction> transactions, out _))
        {
            log.Exchange.Accept(next.Block, hash);
            log.Own.Cover(id, next.Block.LastTransaction);
            Enter(next.Block, transactions);
            sealer.Announce();
        }
    }
}
