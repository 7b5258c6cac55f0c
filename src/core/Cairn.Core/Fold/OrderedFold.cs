using System.Collections.Immutable;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Fold.Seen;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>Applies transactions in one total order, whatever the order of their arrival.</summary>
/// <remarks>
/// Invariants: the table is what the applier makes of all accepted transactions in (depth, log, seq) order; an accepted
/// transaction comes after all it depends on; the tail is sorted and holds what may still have to be undone.
/// A late transaction undoes what follows it (by pre-images), is applied, and the rest is applied again.
/// Source: Kleppmann et al., "A highly-available move operation for replicated trees", 2022, section 3.
/// docs/decisions/undo-redo.md says why. Not thread-safe.
/// </remarks>
public sealed class OrderedFold
{
    /// <summary>How far is looked back at first for what an author had not seen: mostly it is among the last few.</summary>
    private const int LookBackMin = 256;
    private const int LookBackFactor = 4;

    private readonly ITreeTable _table;
    private readonly ITransactionApplier _applier;
    private readonly UndoRecorder _recorder;
    private readonly Queue<Transaction> _arrived = [];
    private readonly List<AppliedTransaction> _accepted = [];
    private readonly SeenBranches _branches = new();
    private FoldTail _tail;
    private FoldHolds _holds;
    private Repetitions _repetitions;
    private Witnesses _witnesses;
    private FoldLogs _logs;
    private WaitingRoom _waiting = new();
    private bool _alone;

    /// <summary>Continues from what <see cref="Save"/> left in the table; an empty table is an empty history.</summary>
    public OrderedFold(ITreeTable table, ITransactionApplier applier)
    {
        _table = table;
        _applier = applier;
        _recorder = new UndoRecorder(table);
        _logs = FoldLogs.Load(table);
        _tail = new FoldTail(table);
        _holds = new FoldHolds(table);
        _repetitions = new Repetitions(table);
        _witnesses = new Witnesses(table);
        applier.Forget();
    }

    /// <summary>
    /// While true nobody else can have concurrent transactions: nothing is kept for undoing. Set it false before
    /// another member can see this history for the first time.
    /// </summary>
    public bool Alone
    {
        get => _alone;
        set
        {
            _alone = value;
            _recorder.Recording = !value;
            if (value)
            {
                Prune(Positions);
            }
        }
    }

    /// <summary>The state, for reading.</summary>
    public ITreeTable Table => _table;

    /// <summary>The maximal accepted transactions, in order: what the next local one depends on.</summary>
    public IReadOnlyList<TransactionId> Heads => _logs.Heads;

    /// <summary>How far each log is folded, by transactions (block numbers are 0).</summary>
    public LogPositions Positions => _logs.Positions();

    /// <summary>Transactions kept to be undone.</summary>
    public int TailCount => _tail.Count;

    /// <summary>How many of these <see cref="Save"/> has not written into the table yet.</summary>
    public int UnsavedCount => _tail.UnsavedCount;

    /// <summary>Transactions that wait for others.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>Forgets those that wait: whoever asks for this gives them again.</summary>
    public void ForgetWaiting() => _waiting = new WaitingRoom();

    /// <summary>What they wait for, in order.</summary>
    public IReadOnlyList<TransactionId> Missing => _waiting.Missing();

    /// <summary>Everything up to here in the order can no longer change.</summary>
    public TransactionOrder StableOrder => _tail.Cut;

    /// <summary>The settled checkpoint that this fold stands on; null for none.</summary>
    public FoldGround? Ground => _logs.Ground;

    /// <summary>The depth of the last in the order of what is within some positions; 0 for none.</summary>
    public ulong DepthOf(LogPositions positions) => _logs.Greatest(positions).Depth;

    /// <summary>The last transaction of a log that is folded; 0 for none.</summary>
    public ulong LastOf(LogId log) => _logs.LastOf(log);

    /// <summary>How often the table was replaced below it: what was read there before need not be there any more.</summary>
    public int ReloadCount { get; private set; }

    /// <summary>Whether a transaction is folded.</summary>
    public bool Has(TransactionId id) => _logs.Has(id);

    /// <summary>A transaction that comes after everything folded so far. It is not applied yet.</summary>
    public Transaction Author(LogId log, WallTime claimed, ImmutableArray<Primitive> primitives)
    {
        Invariant.That(!primitives.IsDefaultOrEmpty, "a transaction without primitives");
        return new Transaction(
            new TransactionId(log, _logs.LastOf(log) + 1), _logs.HeadsWithout(log), claimed, primitives);
    }

    /// <summary>
    /// Applies a transaction that <see cref="Author"/> made from this very state: always last, so nothing is undone.
    /// </summary>
    public void ApplyLocal(Transaction transaction)
    {
        TransactionOrder order = _logs.Accept(transaction)
            ?? throw new InvariantException($"{transaction.Id} is not local to this state");
        Invariant.That(order > _tail.Last, $"{order} is not after {_tail.Last}");
        _repetitions.Note(transaction, _applier.Apply(transaction, _recorder), _recorder);
        if (_alone)
        {
            Fix(order);
        }
        else
        {
            Keep(new AppliedTransaction(transaction, order));
        }

        if (_waiting.Count > 0 && _waiting.Wake(transaction.Id) is { } woken)
        {
            Receive(woken);
        }
    }

    /// <summary>Takes a transaction from anywhere, in any order, any number of times.</summary>
    public FoldReport Receive(Transaction transaction) => Receive([transaction]);

    /// <summary>Takes transactions from anywhere; several at once cost one undo instead of several.</summary>
    public FoldReport Receive(IReadOnlyList<Transaction> transactions)
    {
        var belowCut = new List<TransactionId>();
        Admit(transactions, belowCut);
        return ApplyAccepted(belowCut);
    }

    /// <summary>Takes the next of whole logs, in the total order as far as nothing is missing: then nothing waits.</summary>
    /// <param name="logs">Continued by the next call.</param>
    /// <param name="countMax">How many to take at most.</param>
    /// <param name="canWait">Whether those are taken, too, that depend on what is in none of the logs.</param>
    public FoldReport Receive(LogMerge logs, int countMax, bool canWait = true)
    {
        var belowCut = new List<TransactionId>();
        for (int i = 0; i < countMax && (logs.Next(_logs, out _) ?? logs.NextWithoutPlace(canWait)) is { } next; i++)
        {
            Admit([next], belowCut);
        }

        return ApplyAccepted(belowCut);
    }

    /// <summary>Applies again what the applier may judge otherwise now, where it stands.</summary>
    /// <param name="alike">What means what it meant.</param>
    /// <returns>Null, and nothing is done, if some of the rest cannot be undone any more.</returns>
    public FoldReport? Again(LogPositions alike)
    {
        _branches.Clear();
        TransactionOrder from = _tail.Last;
        foreach ((LogId log, LogPosition position) in Positions.Logs)
        {
            ulong first = alike[log].TransactionSeq + 1;
            if (first > position.TransactionSeq)
            {
                continue;
            }

            if (_logs.PlaceOf(new TransactionId(log, first)) is not { } place || place <= _tail.Cut)
            {
                return null;
            }

            from = place < from ? place : from;
        }

        return alike.Covers(Positions) ? FoldReport.Nothing : ApplyFrom(from, []);
    }

    /// <summary>Forgets how to undo what is stable: every member is known to have <paramref name="stable"/>.</summary>
    /// <remarks>
    /// Stable means: for each member m that is not excluded, m said it has these positions, and this node holds
    /// everything m had written when it said so. Then whatever comes still is later in the order, and its author has
    /// seen all of it.
    /// </remarks>
    /// <param name="stable">What they have.</param>
    /// <param name="witnesses">These members; null for all there are.</param>
    /// <returns>Whether the cut moved.</returns>
    public bool Prune(LogPositions stable, IReadOnlyCollection<NodeId>? witnesses = null)
    {
        TransactionOrder before = _tail.Cut;
        TransactionOrder cut = _tail.LastWithin(stable, _logs.Greatest(stable));
        while (_holds.FirstHeld(cut) is { } held)
        {
            cut = _tail.LastBefore(held);
        }

        CutAt(cut, stable, witnesses);
        return _tail.Cut != before;
    }

    /// <summary>
    /// As <see cref="Prune"/>, but exactly to the end of everything of less than a depth, where a checkpoint is made.
    /// </summary>
    /// <remarks>
    /// All members that do so have the same history before it, and nothing can come there any more. The state there cannot
    /// be found again once the fold is pruned further.
    /// </remarks>
    /// <param name="depth">The first depth that stays.</param>
    /// <param name="stable">What all members have.</param>
    /// <param name="witnesses">These members; null for all there are.</param>
    /// <returns>False, and nothing is changed, while that cannot be, or if it is over.</returns>
    public bool PruneTo(ulong depth, LogPositions stable, IReadOnlyCollection<NodeId>? witnesses = null)
    {
        TransactionOrder greatest = _logs.Greatest(stable);
        if (greatest.Depth < depth || _tail.Cut.Depth >= depth)
        {
            return false;
        }

        TransactionOrder last = _tail.LastBefore(new TransactionOrder(depth, default));
        if (_tail.LastWithin(stable, greatest) < last || _holds.FirstHeld(last) is not null)
        {
            return false;
        }

        CutAt(last, stable, witnesses);
        return true;
    }

    /// <summary>
    /// Empties the table and forgets everything: the answer to <see cref="FoldReport.BelowCut"/>. All transactions of
    /// all logs are then given to <see cref="Receive(IReadOnlyList{Transaction})"/> again; until the last of them is
    /// in, do not prune. A fold that began at a checkpoint cannot be rebuilt this way.
    /// </summary>
    public void Reset()
    {
        Invariant.That(!_alone, "a fold that is alone has nothing late to make room for");
        var keys = new List<byte[]>();
        TableCursor cursor = _table.Scan([], []);
        while (cursor.MoveNext())
        {
            keys.Add(cursor.Key);
        }

        foreach (byte[] key in keys)
        {
            _table.Put(key, null);
        }

        Reload();
    }

    /// <summary>Continues from what is in the table now: everything in it was replaced. What waited is forgotten.</summary>
    public void Reload()
    {
        _logs = FoldLogs.Load(_table);
        _tail = new FoldTail(_table);
        _holds = new FoldHolds(_table);
        _repetitions = new Repetitions(_table);
        _witnesses = new Witnesses(_table);
        _waiting = new WaitingRoom();
        _branches.Clear();
        _applier.Forget();
        ReloadCount++;
    }

    /// <summary>Stands on a settled checkpoint from now on, of which this is a continuation already.</summary>
    public void StandOn(FoldGround ground)
    {
        ground.Put(_table);
        FoldGround.ForgetContinued(_table, ground.Depth + 1);
        _logs.Ground = ground;
    }

    /// <summary>Writes the fold's own state into the table, so that table and fold are persisted together.</summary>
    public void Save()
    {
        _logs.Save(_table);
        _tail.Save();
    }

    /// <summary>Those of a log from one number to another that are kept to be undone, in order; read from memory and table.</summary>
    public IEnumerable<Transaction> KeptOf(LogId log, ulong first, ulong last) => _tail.From(default)
        .Select(static entry => entry.Transaction)
        .Where(kept => kept.Id.Log == log && kept.Id.Seq >= first && kept.Id.Seq <= last);

    /// <summary>
    /// The transactions after the stable cut, in order, read from memory and table: for a checkpoint.
    /// </summary>
    internal List<AppliedTransaction> TailFrom(TransactionOrder from) => _tail.From(from);

    internal FoldLogs Logs => _logs;

    /// <summary>
    /// Whether a transaction behind a cut is about a state that whoever begins at the cut cannot find again.
    /// </summary>
    internal bool IsHeldAcross(TransactionOrder cut) => _holds.FirstHeld(cut) is not null;

    private void CutAt(TransactionOrder cut, LogPositions stable, IReadOnlyCollection<NodeId>? witnesses)
    {
        if (witnesses is not null && _logs.IsForgottenWithin(stable))
        {
            _witnesses.Set(witnesses);
        }

        _logs.Forget(cut);
        _tail.CutAt(cut);
        _holds.CutAt(cut);
        _branches.CutAt(cut);
    }

    private FoldReport ApplyAccepted(List<TransactionId> belowCut)
    {
        if (_accepted.Count == 0)
        {
            return belowCut.Count == 0 ? FoldReport.Nothing : FoldReport.Nothing with { BelowCut = belowCut };
        }

        _accepted.Sort(static (a, b) => a.Order.CompareTo(b.Order));
        return ApplyFrom(_accepted[0].Order, belowCut);
    }

    private FoldReport ApplyFrom(TransactionOrder place, List<TransactionId> belowCut)
    {
        var changes = new Dictionary<TableBytes, KeyChange>(_accepted.Count * 2);
        _recorder.Changes = changes;
        List<AppliedTransaction> again = UndoFrom(place);
        int applied = _accepted.Count;
        ApplyMerged(again);
        _recorder.Changes = null;
        var changed = new List<TableBytes>(changes.Count);
        foreach ((TableBytes key, KeyChange change) in changes)
        {
            if (change.IsReal)
            {
                changed.Add(key);
            }
        }

        return new FoldReport(applied, again.Count, belowCut, changed);
    }

    private void Admit(IReadOnlyList<Transaction> transactions, List<TransactionId> belowCut)
    {
        foreach (Transaction arrived in transactions)
        {
            _arrived.Enqueue(arrived);
        }

        while (_arrived.TryDequeue(out Transaction? transaction))
        {
            if (_logs.Has(transaction.Id))
            {
                continue;
            }

            if (_logs.MissingOf(transaction) is { } missing)
            {
                _waiting.Add(transaction, missing);
                continue;
            }

            if (_logs.OrderOf(transaction) is not { } order || order <= _tail.Cut || IsAboutWhatIsFixed(transaction))
            {
                belowCut.Add(transaction.Id);
                continue;
            }

            _logs.Accept(transaction, order);
            _accepted.Add(new AppliedTransaction(transaction, order));
            foreach (Transaction woken in _waiting.Wake(transaction.Id) ?? [])
            {
                _arrived.Enqueue(woken);
            }
        }
    }

    /// <summary>Whether its author may not have seen what cannot be undone any more, and it is about what that saw.</summary>
    /// <remarks>What is in the ground passes for seen by everybody: there is no other state to find again.</remarks>
    private bool IsAboutWhatIsFixed(Transaction transaction) =>
        (Ground is null || _tail.Cut.Depth >= Ground.Depth)
        && !_witnesses.Has(transaction.Id.Log.Author) && _applier.IsAboutWhatWasSeen(transaction);

    private List<AppliedTransaction> UndoFrom(TransactionOrder place)
    {
        _branches.UndoneFrom(place);
        List<AppliedTransaction> later = _tail.TakeFrom(place);
        for (int i = later.Count - 1; i >= 0; i--)
        {
            _recorder.Undo(later[i].Undo);
        }

        if (later.Count > 0)
        {
            _applier.Forget();
        }

        return later;
    }

    private void ApplyMerged(List<AppliedTransaction> again)
    {
        int next = 0;
        foreach (AppliedTransaction accepted in _accepted)
        {
            for (; next < again.Count && again[next].Order < accepted.Order; next++)
            {
                Redo(again[next]);
            }

            Redo(accepted);
        }

        for (; next < again.Count; next++)
        {
            Redo(again[next]);
        }

        _accepted.Clear();
    }

    private void Redo(AppliedTransaction entry)
    {
        if (_repetitions.IsDone(entry.Transaction, _logs))
        {
            _applier.LeaveOut(entry.Transaction, _recorder);
            Keep(entry);
            return;
        }

        bool hadEffect = _applier.IsAboutWhatWasSeen(entry.Transaction)
            ? ApplySeen(entry)
            : _applier.Apply(entry.Transaction, _recorder);
        _repetitions.Note(entry.Transaction, hadEffect, _recorder);
        Keep(entry);
    }

    private bool ApplySeen(AppliedTransaction entry)
    {
        List<AppliedTransaction> before = _tail.Newest(LookBackMin, out bool isAll);
        SeenBefore? past;
        while ((past = SeenState.TryFind(before, isAll, entry.Transaction, _logs, _tail.Cut, _branches)) is null)
        {
            before = _tail.Newest(before.Count * LookBackFactor, out isAll);
        }

        if (past.WholeBy(entry.Transaction.Id) is { } whole)
        {
            _branches.Add(whole);
        }

        _holds.Set(entry.Order, past.FirstUnseen);
        IReadOnlyList<TableChange> otherwise = past.FirstUnseen is null
            ? []
            : SeenState.Differences(_table, _applier, entry.Transaction.Id, past, _branches);
        return _applier.Apply(entry.Transaction, _recorder, otherwise);
    }

    private void Keep(AppliedTransaction entry)
    {
        if (_alone)
        {
            Fix(entry.Order);
            return;
        }

        entry.Undo = _recorder.Take();
        _tail.Append(entry);
    }

    /// <summary>Nobody can be late: the transaction just applied stays where it is.</summary>
    private void Fix(TransactionOrder order)
    {
        _logs.Forget(order.Id);
        _tail.CutAt(order);
    }
}
