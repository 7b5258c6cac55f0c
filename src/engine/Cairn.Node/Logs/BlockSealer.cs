using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Node.Ports;
using Cairn.Storage;

namespace Cairn.Node.Logs;

/// <summary>Turns journaled transactions into signed, synced blocks in the background.</summary>
/// <remarks>
/// (1) Gather for a few milliseconds. (2) Take what waits. (3) Encode, seal, sign. (4) Append to the log store and sync.
/// (5) Only then show it to peers and release the journal's records. Only the sealer extends own logs.
/// </remarks>
internal sealed class BlockSealer(ReplicatedLog log, LogPorts ports, ReplicatedLogOptions options)
{
    private const int BusyTransactions = 64;
    private static readonly TimeSpan HoldMax = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan RetryFirst = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(30);

    private readonly Signal _wake = new();

    /// <summary>What kept blocks from being sealed may be gone.</summary>
    private readonly Signal _retry = new();
    private readonly Lock _sealing = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;
    private volatile bool _hasFound;
    private bool _started;

    /// <summary>Something waits.</summary>
    public void Wake() => _wake.Raise();

    /// <summary>Blocks that were here already can be sent now.</summary>
    public void Announce()
    {
        _hasFound = true;
        _wake.Raise();
        _retry.Raise();
    }

    /// <summary>The own log changed otherwise than by sealing: what could not be sealed is tried at once.</summary>
    public void TryAgain() => _retry.Raise();

    /// <summary>Starts the loop.</summary>
    public void Start()
    {
        _started = true;
        if (log.Own.UnsealedCount > 0)
        {
            _wake.Raise();
        }

        ports.Workers.Start($"seal {log.Volume.Short}", Loop);
    }

    /// <summary>Seals what is left and ends the loop.</summary>
    public Task Stop()
    {
        _stopping = true;
        _wake.Raise();
        _retry.Raise();
        if (!_started)
        {
            _ended.TrySetResult();
        }

        return _ended.Task;
    }

    /// <summary>Seals everything that waits.</summary>
    public Result<Unit, StoreError> SealAll()
    {
        lock (_sealing)
        {
            bool any = _hasFound;
            _hasFound = false;
            Result<Unit, StoreError> shown = any ? log.Commit() : Unit.Value;
            while (shown.IsOk)
            {
                Transaction[] taken;
                lock (log.Gate)
                {
                    if (log.Own.UnsealedCount == 0)
                    {
                        break;
                    }

                    taken = log.Own.TakeForBlock();
                }

                Result<Unit, StoreError> done = SealBlock(taken);
                if (!done.IsOk)
                {
                    return done;
                }

                any = true;
            }

            if (any)
            {
                log.OnSealed();
            }

            return shown;
        }
    }

    /// <summary>Runs an action while nothing is being sealed.</summary>
    public T WhileIdle<T>(Func<T> action)
    {
        lock (_sealing)
        {
            return action();
        }
    }

    private async Task Loop()
    {
        try
        {
            await SealUntilStopped();
            await ports.Workers.Run(WorkPriority.Foreground, SealAll);
        }
        finally
        {
            // Whatever went wrong, whoever stops the log must not wait for ever: what was not sealed is in the journal.
            _ended.TrySetResult();
        }
    }

    private async Task SealUntilStopped()
    {
        TimeSpan delay = options.SealDelay;
        TimeSpan pause = RetryFirst;
        StoreErrorKind? failing = null;
        while (!_stopping)
        {
            await _wake.Wait();
            _wake.Hear();
            await Gather(delay);

            int waiting;
            lock (log.Gate)
            {
                waiting = log.Own.UnsealedCount;
            }

            delay = waiting > BusyTransactions ? options.SealDelayWhenBusy : options.SealDelay;
            _retry.Hear();
            Result<Unit, StoreError> done = await ports.Workers.Run(WorkPriority.Foreground, SealAll);
            if (done.IsOk)
            {
                (failing, pause) = (null, RetryFirst);
                continue;
            }

            // Each cause is told once, however long it lasts.
            if (done.Error.Kind != failing)
            {
                (failing, pause) = (done.Error.Kind, RetryFirst);
                log.Report(log.OwnLogId, $"sealing failed, and is tried again: {done.Error}");
            }

            await _retry.Wait(pause, ports.Time);
            pause = pause * 2 < RetryMax ? pause * 2 : RetryMax;
            _wake.Raise();
        }
    }

    /// <summary>(1) Waits for what belongs together, but not for long: a large file's content comes later than its name.</summary>
    private async Task Gather(TimeSpan delay)
    {
        TimeSpan held = TimeSpan.Zero;
        do
        {
            if (_stopping)
            {
                return;
            }

            await Task.Delay(delay, ports.Time);
            held += delay;
        }
        while (held < HoldMax && log.HoldsBack?.Invoke() == true);
    }

    private Result<Unit, StoreError> SealBlock(Transaction[] transactions)
    {
        LogId own = transactions[0].Id.Log;
        ChainTip tip;
        lock (log.Gate)
        {
            tip = log.Exchange.TipOf(own);
        }

        if (transactions[0].Id.Seq != tip.TransactionSeq + 1)
        {
            // A block was found unreadable while running: peers have it, and send it; a chain has no gaps until then.
            return new StoreError(
                StoreErrorKind.Corrupt, own.ToString(), "own blocks cannot be read; peers are asked for them");
        }

        byte[] encoded = OwnBlock.Make(log, own, tip, transactions);
        Result<Unit, StoreError> stored = ports.Blocks.Append(log.Volume, own, tip.BlockSeq + 1, encoded);
        stored = stored.IsOk ? ports.Blocks.Commit() : stored;
        if (!stored.IsOk)
        {
            return stored;
        }

        LogBlock block = LogBlockCodec.Decode(encoded).Value;
        lock (log.Gate)
        {
            log.Exchange.Accept(block, LogBlockCodec.Hash(encoded));
            log.Own.Sealed(transactions.Length);
        }

        return log.Commit();
    }
}
