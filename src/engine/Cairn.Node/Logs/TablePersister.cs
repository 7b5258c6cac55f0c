using Cairn.Core.Fold;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Cairn.Storage;

namespace Cairn.Node.Logs;

/// <summary>Carries the fold's changes to the durable index in the background.</summary>
/// <remarks>
/// The journal and the logs are synced first: the index never knows more than they do. What cannot be written, because the
/// disk is full for a while, is written later; until then it is read from memory.
/// </remarks>
internal sealed class TablePersister(
    ReplicatedLog log, LogPorts ports, ReplicatedLogOptions options, IPersistedTable table)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    private readonly Signal _wake = new();
    private readonly Signal _hurry = new();
    private readonly Signal _stop = new();
    private readonly Lock _persisting = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;
    private bool _started;

    /// <summary>Taken from the fold, and not in the index yet: its writing failed, or is under way.</summary>
    private IReadOnlyList<KeyValuePair<byte[], byte[]?>>? _taken;

    /// <summary>Something changed. Called under the gate.</summary>
    public void Wake()
    {
        _wake.Raise();
        if (table.ChangeCount >= options.PersistChangesMax)
        {
            _hurry.Raise();
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
        lock (_persisting)
        {
            Result<Unit, StoreError> left = _taken is null ? Unit.Value : Write(_taken);
            return left.IsOk ? Write(Take()) : left;
        }
    }

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

    private IReadOnlyList<KeyValuePair<byte[], byte[]?>> Take()
    {
        lock (log.Gate)
        {
            log.Fold.Save();
            return _taken = table.TakeChanges();
        }
    }

    private Result<Unit, StoreError> Write(IReadOnlyList<KeyValuePair<byte[], byte[]?>> changes)
    {
        Result<Unit, StoreError> synced = log.Commit();
        synced = synced.IsOk ? ports.Journal.Commit() : synced;
        Result<Unit, StoreError> applied = synced.IsOk ? Apply(changes) : synced;
        if (applied.IsOk)
        {
            lock (log.Gate)
            {
                table.ChangesPersisted();
                _taken = null;
            }
        }

        return applied;
    }

    private Result<Unit, StoreError> Apply(IReadOnlyList<KeyValuePair<byte[], byte[]?>> changes)
    {
        if (changes.Count == 0)
        {
            return Unit.Value;
        }

        Result<Unit, IndexError> applied = ports.Index.Apply(changes.Select(IndexChange.Of));
        return applied.IsOk ? Unit.Value : new StoreError(StoreErrorKind.Corrupt, "index", applied.Error.Detail);
    }
}
