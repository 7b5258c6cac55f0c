using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Sync;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Applying;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.Ports;
using Cairn.Storage;

namespace Cairn.Node.Logs;

/// <summary>One replicated set of logs with its fold: a volume's, or the pool's.</summary>
/// <remarks>
/// Invariants: a transaction that <see cref="Append"/> returned is in the journal and in the fold; a block is shown to
/// peers only after a sync; the index below the fold never knows more than the synced logs and journal do; of every log a
/// run is held from where it begins. Own transactions are sealed in the background. Own blocks that come back from peers
/// (a restored backup) are folded, and the incarnation is raised above them.
/// Thread: any; <see cref="Gate"/> guards the fold and is held by callers of the members that say so.
/// </remarks>
public sealed class ReplicatedLog : IAsyncDisposable
{
    private const int LearnKeysMax = 1_000_000;

    private readonly LogExchange _exchange;
    private readonly BlockReceiver _receiver;
    private readonly BlockSealer _sealer;
    private readonly JournalWriter _journal;
    private readonly OwnLogRepair _repair;
    private readonly LateWork _late;
    private readonly SpokenWord _word;
    private LogPositions _durable = LogPositions.Empty;
    private LogPositions _vouched = LogPositions.Empty;
    private VolumeKeyring _keys;

    private ReplicatedLog(
        LogPorts ports, ReplicatedLogOptions options, VolumeKeyring keys, OverlayTable table, TreeApplier applier,
        LogExchange exchange)
    {
        Ports = ports;
        Repair = new FoldRepair(this, applier.Missed);
        Copied = new CopiedTable(this);
        _keys = keys;
        _exchange = exchange;
        Fold = new OrderedFold(table, applier);
        _word = new SpokenWord(ports.Identity.Node);
        Quarantine = new Quarantine(ports.Members, Repair.Base.Has);
        RightsInForce = new RightsInForce(ports.Members, applier, ports.Identity.Node);
        _journal = new JournalWriter(ports.Journal, ports.JournalCipher, keys.Volume);
        Own = new OwnLog(_journal);
        _repair = new OwnLogRepair(this, ports);
        _late = new LateWork(this, ports);
        _sealer = new BlockSealer(this, ports, options);
        _receiver = new BlockReceiver(this, _repair, _sealer, options);
        Compaction = new LogCompaction(this, _receiver, _sealer);
        Persister = new TablePersister(this, ports, options, table);
    }

    /// <summary>Own blocks are ready to be sent. Raised from any thread, outside the gate.</summary>
    public event Action? BlocksReady;

    /// <summary>Other nodes' transactions changed these keys of the table. Raised inside the gate, on the receiving thread.</summary>
    public event Action<IReadOnlyList<byte[]>>? Changed;

    /// <summary>All was folded again: what no key of <see cref="Changed"/> tells may be gone. Raised inside the gate.</summary>
    public event Action? Refolded;

    /// <summary>This node wrote a transaction of these primitives. Raised inside the gate, on the writing thread.</summary>
    public event Action<ImmutableArray<Primitive>>? Written;

    /// <summary>Guards the fold, the table and everything made from it.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Which volume; the pool's log has the pool's id.</summary>
    public VolumeId Volume => _keys.Volume;

    /// <summary>The fold; used under <see cref="Gate"/>.</summary>
    public OrderedFold Fold { get; }

    /// <summary>The keys in use; replaced when an epoch is added.</summary>
    public VolumeKeyring Keys
    {
        get => Volatile.Read(ref _keys);
        set => Volatile.Write(ref _keys, value);
    }

    /// <summary>The members that signed two histories of one log here, since the start. Any thread.</summary>
    public IReadOnlyCollection<NodeId> Forked => _exchange.Forked;

    /// <summary>What is held on stable storage here: what peers may be told.</summary>
    public LogPositions Positions => Volatile.Read(ref _durable);

    /// <summary>What is held on stable storage and folded, and of own logs all that was written.</summary>
    public LogPositions Seen
    {
        get
        {
            lock (Gate)
            {
                return WordUpTo(Fold.Positions);
            }
        }
    }

    /// <summary>What a peer is told: what is seen, or what was seen before <see cref="WithholdsWord"/> held.</summary>
    /// <remarks>
    /// Others take for settled what nobody's writing can come before any more. A transaction that waits to be sealed was
    /// written from the state of now: it must be in the word, or it would come late.
    /// </remarks>
    public LogPositions Word
    {
        get
        {
            lock (Gate)
            {
                if (WithholdsWord?.Invoke() != true)
                {
                    _vouched = Fold.Positions;
                }

                return WordUpTo(_vouched);
            }
        }
    }

    /// <summary>Whether something is folded here that <see cref="Positions"/> does not show to peers yet.</summary>
    public bool HasUnsent
    {
        get
        {
            lock (Gate)
            {
                return Own.UnsealedCount > 0 || Own.Doubtful.Count > 0 || !_durable.Covers(_exchange.Positions);
            }
        }
    }

    /// <summary>The log new transactions go to.</summary>
    public LogId OwnLogId => Own.Current;

    /// <summary>Whether nobody else can write yet: nothing is kept for undoing. Set it false before a member is granted.</summary>
    public bool Alone
    {
        get => Fold.Alone;
        set
        {
            lock (Gate)
            {
                Fold.Alone = value;
            }
        }
    }

    /// <summary>Whose transactions are obeyed, as they are folded now.</summary>
    public WriteRights Rights => RightsInForce.Current;

    /// <summary>Whether this node's transactions are.</summary>
    public bool MayWrite => Rights.MayWrite(Ports.Identity.Node);

    /// <summary>Which objects this node may not edit now, because of their folders; null: all may be. Under the gate.</summary>
    public FolderJudge? OwnJudge => Rights.Folders.Now(Ports.Identity.Node) is { IsLimited: true } verdicts
        ? new FolderJudge(Fold.Table, verdicts)
        : null;

    /// <summary>Why the index was thrown away and made anew when the log was opened; null: it was good.</summary>
    public string? IndexFault { get; private set; }

    /// <summary>What was found wrong.</summary>
    public LogFindings Findings { get; } = new();

    /// <summary>How long sealing may wait for what belongs together; asked under no lock. Null: not at all.</summary>
    /// <remarks>A door's save is a name and a content: while the content is being published, the block waits a little.</remarks>
    public Func<bool>? HoldsBack { get; set; }

    /// <summary>
    /// Whether this node may still write what brings back something that others removed: until it has, they may not count on
    /// its having seen that. Asked under the gate. Null: it may not.
    /// </summary>
    public Func<bool>? WithholdsWord { get; set; }

    /// <summary>Drops blocks that nobody needs any more, and begins logs where others have dropped them.</summary>
    public LogCompaction Compaction { get; }

    internal LogPorts Ports { get; }

    internal CopiedTable Copied { get; }

    internal OwnLog Own { get; }

    internal FoldRepair Repair { get; }

    internal TablePersister Persister { get; }

    internal Quarantine Quarantine { get; }

    internal RightsInForce RightsInForce { get; }

    internal JournalWriter JournalWriter => _journal;

    internal LogExchange Exchange => _exchange;

    internal PendingFold Pending => _receiver.Pending;

    /// <summary>Opens the log: the fold is brought up to what blocks and journal hold. Starts its background work.</summary>
    /// <param name="applier">What transactions mean.</param>
    /// <param name="others">
    /// The recovered records of this volume that are not transactions and whose layer no transaction ended: for the
    /// volume engine.
    /// </param>
    public static Result<ReplicatedLog, StoreError> Open(
        LogPorts ports, VolumeKeyring keys, TreeApplier applier, out IReadOnlyList<RecoveredRecord> others,
        ReplicatedLogOptions? options = null)
    {
        options ??= new ReplicatedLogOptions();
        if (TableFill.IsBrokenOff(ports.Index))
        {
            // If it cannot be emptied, nothing else can be done with it, either: that is met below.
            _ = ports.Index.Clear();
        }

        IReadOnlyList<RecoveredRecord> records = ports.Recovered.Take(keys.Volume);
        Result<ReplicatedLog, StoreError> opened;
        var lost = new LostWork();
        string? fault = null;
        try
        {
            opened = Open(ports, options, keys, applier, records, lost);
        }
        catch (Exception broken) when (broken is IndexUnusableException or InvariantException)
        {
            // The index is a cache of the fold: whatever is wrong with it, the logs rebuild it.
            fault = broken.Message;
            Result<Unit, IndexError> cleared = ports.Index.Clear();
            opened = cleared.IsOk
                ? Open(ports, options, keys, applier, records, lost)
                : new StoreError(StoreErrorKind.Corrupt, "index", $"{broken.Message}; {cleared.Error.Detail}");
        }

        if (!opened.TryGet(out ReplicatedLog? log, out _))
        {
            ports.Recovered.PutBack(keys.Volume, records);
            others = [];
            return opened;
        }

        log.IndexFault = fault;
        others = EndedLayers.Release(log, ports.Journal, records);
        return opened;
    }

    /// <summary>Writes a transaction of this node: journaled, folded, to be sealed soon. Called under <see cref="Gate"/>.</summary>
    /// <param name="primitives">Made from the state as it is now.</param>
    /// <param name="claimed">Shown to people.</param>
    /// <param name="ended">The draft layer whose journal records this transaction makes void.</param>
    public Result<TransactionId, StoreError> Append(
        ImmutableArray<Primitive> primitives, WallTime claimed, EndedLayer ended = default)
    {
        Invariant.That(Gate.IsHeldByCurrentThread, "a transaction written outside the gate");
        Transaction transaction = Fold.Author(Own.Current, claimed, primitives);
        ulong last = _exchange.TipOf(Own.Current).TransactionSeq;
        Invariant.That(transaction.Id.Seq > last, $"{transaction.Id} again: the log is sealed up to {last}");
        Result<Unit, StoreError> written = Own.Append(transaction, ended);
        if (!written.IsOk)
        {
            return written.Error;
        }

        Fold.ApplyLocal(transaction);
        Written?.Invoke(primitives);
        _sealer.Wake();
        Persister.Wake();
        return transaction.Id;
    }

    /// <summary>Takes a peer's blocks in, folds them together, and says what became of each.</summary>
    /// <remarks>
    /// Blocks (signature, disk): call it from a worker. Durable, and in <see cref="Positions"/>, after <see cref="Commit"/>.
    /// </remarks>
    public IReadOnlyList<ReceiveOutcome> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks) =>
        _receiver.Receive(blocks);

    /// <summary>Whether the end of an own log was lost, and journaled transactions wait for <see cref="Settle"/>.</summary>
    public bool AwaitsWord
    {
        get
        {
            lock (Gate)
            {
                return Own.Doubtful.Count > 0;
            }
        }
    }

    /// <summary>
    /// Whether all that is held here is folded, and nothing of the own log is in doubt. Else something was lost here, or has not
    /// come yet, and the tree shows less than it did. Under the gate.
    /// </summary>
    public bool IsFoldWhole => Own.Doubtful.Count == 0 && IsStoredFolded;

    /// <summary>Whether all blocks that are held here are folded. Under the gate.</summary>
    internal bool IsStoredFolded =>
        _exchange.Positions.Logs.All(held => Fold.LastOf(held.Key) >= held.Value.TransactionSeq);

    /// <summary>All connected readers have said what they hold: what was lost of the own log is settled by it.</summary>
    /// <param name="held">The most of each log that any reader is known to hold.</param>
    public void Settle(LogPositions held)
    {
        lock (Gate)
        {
            if (Own.Doubtful.Count > 0)
            {
                _repair.Settle(held);
                Changed?.Invoke([]);
            }
        }
    }

    /// <summary>Makes everything received and sealed so far durable, and shows it in <see cref="Positions"/>. Blocks.</summary>
    public Result<Unit, StoreError> Commit()
    {
        LogPositions held;
        lock (Gate)
        {
            held = _exchange.Positions;
        }

        Result<Unit, StoreError> committed = Ports.Blocks.Commit();
        if (committed.IsOk)
        {
            lock (Gate)
            {
                _durable = (held.Covers(_durable) ? held : _durable).Meet(_exchange.Positions);
            }
        }

        return committed;
    }

    /// <summary>Blocks that a peer lacks, in order per log; none of logs of which it lacks dropped ones. Reads the disk.</summary>
    /// <param name="theirs">What the peer holds.</param>
    /// <param name="bytesMax">Stop at so many bytes; at least one block if there is any.</param>
    public IReadOnlyList<HeldBlock> BlocksAfter(LogPositions theirs, int bytesMax) =>
        LogHistory.BlocksAfter(this, theirs, bytesMax);

    /// <summary>Seals everything that waits, now, and syncs it. Blocks.</summary>
    public Result<Unit, StoreError> Seal() => _sealer.SealAll();

    /// <summary>Forgets how to undo what every member has.</summary>
    /// <param name="stable">What every member has of what is folded here.</param>
    /// <param name="members">Who they are; null for all there are.</param>
    public void Prune(Func<LogPositions, LogPositions> stable, IReadOnlyList<NodeId>? members = null)
    {
        lock (Gate)
        {
            Persister.WakeIf(Fold.Prune(stable(Fold.Positions), members));
            if (_receiver.Pending.ReadsAgain)
            {
                // What it waited for may have been written here meanwhile.
                _receiver.Fold();
            }
        }
    }

    /// <summary>Membership or rights changed: applies again what is judged otherwise; all, if that cannot be undone: slow.</summary>
    public void Reconsider()
    {
        lock (Gate)
        {
            if (RightsInForce.Renew(Fold) is not { } changed
                || Repair.IsOutdated())
            {
                Repair.Run();
            }
            else
            {
                Tell(changed.ChangedKeys);
            }

            _late.WriteAgain();
            Persister.WakeIf(Persister.HasChanges);
        }
    }

    /// <summary>The table as it is now, with all the fold needs to go on from it; null while its blocks are not all here.</summary>
    /// <remarks>Seals and syncs own transactions first: what others build on is in a block. Blocks.</remarks>
    public IIndexStore? ViewTable()
    {
        lock (Gate)
        {
            if (Copied.Awaited is not null)
            {
                return null;
            }
        }

        return Seal().IsOk && Persist().IsOk && Ports.Index.View().TryGet(out IIndexStore? view, out _)
            ? view
            : null;
    }

    /// <summary>What was folded may have brought the mark of a limit that waited for it. Under the gate.</summary>
    internal void ReconsiderIfOverdue()
    {
        if (RightsInForce.IsOverdue(Fold))
        {
            Reconsider();
        }
    }

    /// <summary>Writes the fold's changes to the index. Blocks.</summary>
    public Result<Unit, StoreError> Persist() => Persister.Persist();

    /// <summary>Seals and persists what is left, and stops the background work.</summary>
    public async ValueTask DisposeAsync()
    {
        await _sealer.Stop();
        await Persister.Stop();
        _receiver.Dispose();
    }

    private LogPositions WordUpTo(LogPositions vouched) => _word.UpTo(_durable, Fold.Positions, vouched);

    internal void OnSealed() => BlocksReady?.Invoke();

    internal void Report(LogId log, string detail) => Findings.Add(new LogFinding(Volume, log, detail));

    /// <summary>Less is held than was: peers may not count on the rest.</summary>
    internal void NoteLoss() => _durable = _durable.Meet(_exchange.Positions);

    /// <summary>All was folded again. Under the gate.</summary>
    internal void TellRefolded() => Refolded?.Invoke();

    /// <summary>What others wrote changed these keys. Under the gate.</summary>
    internal void Tell(IReadOnlyList<TableBytes> changed)
    {
        if (changed.Count > 0)
        {
            Changed?.Invoke([.. changed.Select(static key => key.AsArray()!)]);
        }
    }

    private static Result<ReplicatedLog, StoreError> Open(
        LogPorts ports, ReplicatedLogOptions options, VolumeKeyring keys, TreeApplier applier,
        IReadOnlyList<RecoveredRecord> journaled, LostWork lost)
    {
        var table = new OverlayTable(
            new IndexTable(ports.Index), options.TableCacheBytes,
            ports.Index.Bytes <= options.LearnIndexBytesMax ? LearnKeysMax : 0);
        var exchange = new LogExchange(keys.Volume, (log, seq) =>
            ports.Blocks.Read(keys.Volume, log, seq).TryGet(out byte[]? held, out _) ? LogBlockCodec.Hash(held) : null);
        var log = new ReplicatedLog(ports, options, keys, table, applier, exchange);
        log.Copied.Look();
        var recovery = new LogRecovery(log, ports) { Lost = lost, Begun = EndedLayers.Begun(journaled) };
        if (!recovery.Run([.. journaled.Where(record => record.Entry.Type == JournalEntryType.Transaction)]))
        {
            // Not even what a checkpoint brought that does not go far enough: the next opening begins with another.
            _ = ports.Index.Clear();
            return new StoreError(
                StoreErrorKind.LacksCheckpoint, $"volume {keys.Volume.Short}",
                "old history was dropped, and the checkpoint that was made of it is not on this disk any more");
        }

        log._durable = exchange.Positions;
        log.Repair.Missed.Look();
        log._sealer.Start();
        lock (log.Gate)
        {
            log.ReconsiderIfOverdue();
            log._late.WriteAgain();
        }

        log.Persister.Start();
        return log;
    }
}
