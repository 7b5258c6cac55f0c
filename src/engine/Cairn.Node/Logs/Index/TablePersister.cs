using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Cairn.Storage;

namespace Cairn.Node.Logs.Index;

/// <summary>Carries the fold's changes to the durable index in the background.</summary>
/// <remarks>
/// The journal and the logs are synced first: the index never knows more than they do. What cannot be written, because the
/// disk is full for a while, is written later; until then it is read from memory.
/// </remarks>
internal sealed class TablePersister(
    ReplicatedLog log, LogPorts ports, ReplicatedLogOptions options, OverlayTable table)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    /// <summary>Which part of what is written at once must be transactions that the tail has not in the table yet, to save it.</summary>
    private const int SavePart = 16;

    private readonly Signal _wake = new();
    private readonly Signal _hurry = new();
    private readonly Signal _stop = new();
    private readonly Lock _persisting = new();

    /// <summary>Held while the index is written; within it nobody asks for the gate.</summary>
    private readonly Lock _writing = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;
    private bool _started;

    /// <summary>Pulsed when something was written, or nobody writes any more: who waits in <see cref="KeepUp"/> looks again.</summary>
    private readonly object _moving = new();
    private long _moves;

    /// <summary>Taken from the fold, and not in the index yet: not written, or just now. Set under the gate.</summary>
    private IReadOnlyList<TableChange>? _taken;

    /// <summary>Something changed. Called under the gate.</summary>
    public void Wake()
    {
        _wake.Raise();
        if (table.ChangeCount < options.PersistChangesMax)
        {
            return;
        }

        if (_taken is not null && log.Fold.UnsavedCount >= options.PersistChangesMax / SavePart)
        {
            // Written beside what was taken before: then little is left to be done when that is through.
            log.Fold.Save();
        }

        _hurry.Raise();
    }

    /// <summary>Whether the table changed since it was last taken. Called under the gate.</summary>
    public bool HasChanges => table.ChangeCount > 0;

    /// <summary>As <see cref="Wake"/>, if there is something to write: a node at rest writes nothing. Called under the gate.</summary>
    public void WakeIf(bool isChanged)
    {
        if (isChanged)
        {
            Wake();
        }
    }

    /// <summary>Starts the loop.</summary>
    public void Start()
    {
        _started = true;
        ports.Workers.Start($"persist {log.Volume.Short}", Loop);
    }

    /// <summary>Persists what is left and ends the loop.</summary>
    public Task Stop()
    {
        _stopping = true;
        _stop.Raise();
        _hurry.Raise();
        _wake.Raise();
        if (!_started)
        {
            _ended.TrySetResult();
        }

        return _ended.Task;
    }

    /// <summary>Persists everything that changed so far.</summary>
    public Result<Unit, StoreError> Persist()
    {
        try
        {
            lock (_persisting)
            {
                Result<Unit, StoreError> left = _taken is null ? Unit.Value : Write(_taken);
                return left.IsOk ? Write(Take()) : left;
            }
        }
        finally
        {
            Moved();
        }
    }

    /// <summary>Lets who folds more than memory should hold wait until the index has caught up. Not under the gate; blocks.</summary>
    /// <remarks>
    /// A fold is several times as fast as the index. Taken is as much as <see cref="Wake"/> hurries for, as soon as what was taken
    /// before is written, and is written beside what is folded next: so twice that much is in memory at most, with what is
    /// folded in one pass. What cannot be written stays there, and nobody waits for it.
    /// </remarks>
    public void KeepUp()
    {
        while (IsFarBehind())
        {
            long before = Volatile.Read(ref _moves);
            if (!_persisting.TryEnter())
            {
                // Whoever is at it says so when it is through, at the latest.
                WaitForMove(before);
                continue;
            }

            bool isTaken;
            try
            {
                isTaken = _taken is null || Write(_taken).IsOk;
                if (isTaken)
                {
                    Take();
                }
            }
            finally
            {
                _persisting.Exit();
                Moved();
            }

            if (!isTaken)
            {
                return;
            }

            _wake.Raise();
            _hurry.Raise();
        }
    }

    /// <summary>Persists what changed, if it is much: for who folds more than memory should hold. Under the gate.</summary>
    /// <remarks>
    /// What cannot be written stays in memory and is tried again. Another thread may be about to write what it took: it is
    /// written here then, and what is older never after what is newer.
    /// </remarks>
    public void PersistIfMuch()
    {
        if (table.ChangeCount < options.PersistChangesMax
            || !ports.Blocks.Commit().IsOk || !ports.Journal.Commit().IsOk)
        {
            return;
        }

        lock (_writing)
        {
            if (_taken is not null && !Apply(_taken).IsOk)
            {
                return;
            }

            Confirm(_taken);
            IReadOnlyList<TableChange> changes = Take();
            if (Apply(changes).IsOk)
            {
                Confirm(changes);
            }
        }
    }

    /// <summary>Empties table and index at once, but for the node's own records. Under the gate.</summary>
    /// <remarks>A crash behind it leaves an index that the next start makes anew.</remarks>
    public void Clear() => Clear(ports.Index.Clear);

    /// <summary>As <see cref="Clear()"/>.</summary>
    /// <param name="empty">Empties the index.</param>
    public void Clear(Func<Result<Unit, IndexError>> empty)
    {
        lock (_writing)
        {
            _taken = null;
            table.Clear();
            Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> own =
                ports.Index.Scan([IndexTable.NodesOwn], [FoldKeys.Reserved], int.MaxValue);
            Result<Unit, IndexError> cleared = own.IsOk ? empty() : own.Error;
            cleared = cleared.IsOk
                ? ports.Index.Apply(own.Value.Select(static record => new IndexChange(record.Key, record.Value)))
                : cleared;
            if (!cleared.IsOk)
            {
                throw new IndexUnusableException(cleared.Error.Detail);
            }
        }
    }

    /// <summary>The index was filled behind the table's back, and nothing is changed in the table. Under the gate.</summary>
    public void Reload() => table.Reload();

    private async Task Loop()
    {
        try
        {
            await PersistUntilStopped();
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    private async Task PersistUntilStopped()
    {
        bool isFailing = false;
        while (!_stopping)
        {
            await _wake.Wait();
            _wake.Hear();
            if (!_stopping)
            {
                await _hurry.Wait(options.PersistDelay, ports.Time);
                _hurry.Hear();
            }

            Result<Unit, StoreError> done = await ports.Workers.Run(WorkPriority.Background, Persist);
            if (done.IsOk)
            {
                isFailing = false;
                continue;
            }

            if (!isFailing)
            {
                log.Report(log.OwnLogId, $"the index cannot be written, and is tried again: {done.Error}");
            }

            isFailing = true;
            await _stop.Wait(RetryDelay, ports.Time);
            _wake.Raise();
        }
    }

    private bool IsFarBehind()
    {
        lock (log.Gate)
        {
            return table.ChangeCount >= options.PersistChangesMax;
        }
    }

    private void Moved()
    {
        lock (_moving)
        {
            _moves++;
            Monitor.PulseAll(_moving);
        }
    }

    private void WaitForMove(long before)
    {
        lock (_moving)
        {
            while (_moves == before)
            {
                Monitor.Wait(_moving);
            }
        }
    }

    private IReadOnlyList<TableChange> Take()
    {
        lock (log.Gate)
        {
            log.Repair.Missed.Note();
            log.Fold.Save();
            return _taken = table.TakeChanges();
        }
    }

    private Result<Unit, StoreError> Write(IReadOnlyList<TableChange> changes)
    {
        // Where nothing changed there is nothing for the index to know too early.
        Result<Unit, StoreError> synced = changes.Count > 0 ? log.Commit() : Unit.Value;
        synced = synced.IsOk && changes.Count > 0 ? ports.Journal.Commit() : synced;
        if (!synced.IsOk)
        {
            return synced;
        }

        lock (_writing)
        {
            Result<Unit, StoreError> applied = ReferenceEquals(_taken, changes) ? Apply(changes) : Unit.Value;
            if (!applied.IsOk)
            {
                return applied;
            }
        }

        lock (log.Gate)
        {
            Confirm(changes);
        }

        Moved();
        return Unit.Value;
    }

    private void Confirm(IReadOnlyList<TableChange>? written)
    {
        if (written is not null && ReferenceEquals(_taken, written))
        {
            table.ChangesPersisted();
            _taken = null;
        }
    }

    private Result<Unit, StoreError> Apply(IReadOnlyList<TableChange> changes)
    {
        if (changes.Count == 0)
        {
            return Unit.Value;
        }

        Result<Unit, IndexError> applied = ports.Index.Apply(changes.Select(IndexChange.Of));
        if (applied.TryGet(out _, out IndexError failed))
        {
            return Unit.Value;
        }

        StoreErrorKind kind = failed.IsDiskFull ? StoreErrorKind.DiskFull : StoreErrorKind.Corrupt;
        return new StoreError(kind, "index", failed.Detail);
    }
}
