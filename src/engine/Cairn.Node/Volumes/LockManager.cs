using Cairn.Core.Primitives;

namespace Cairn.Node.Volumes;

/// <summary>
/// The record locks (fcntl) and whole-file locks (flock) of one volume on this node, with waiting and deadlock
/// checks.
/// </summary>
/// <remarks>
/// Invariants: two granted locks of different owners on one file overlap only when both are shared; a waiter is woken
/// as soon as nothing granted conflicts with it, in the order of arrival. Safe from several threads. The two kinds of
/// lock do not see each other (Linux: flock(2), NOTES).
/// </remarks>
public sealed class LockManager
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(InodeNumber Inode, bool WholeFile), FileLocks> _files = [];

    /// <summary>A granted lock that conflicts with <paramref name="wanted"/>, or one of kind None.</summary>
    public RangeLock Test(InodeNumber inode, in RangeLock wanted)
    {
        lock (_gate)
        {
            return _files.TryGetValue((inode, false), out FileLocks? locks) && locks.FindConflict(wanted) is { } held
                ? held
                : wanted with { Kind = LockKind.None };
        }
    }

    /// <summary>Takes, converts or gives up a lock.</summary>
    /// <param name="inode">The file.</param>
    /// <param name="wanted">The lock; kind None unlocks the range.</param>
    /// <param name="wholeFile">A flock(2).</param>
    /// <param name="wait">Whether to wait for holders of conflicting locks.</param>
    /// <param name="cancellation">Gives the wait up: <see cref="VolumeError.Interrupted"/>.</param>
    public ValueTask<Result<Unit, VolumeError>> Set(
        InodeNumber inode, RangeLock wanted, bool wholeFile, bool wait, CancellationToken cancellation)
    {
        if (wanted.Start < 0 || wanted.End < wanted.Start)
        {
            return new(VolumeError.InvalidArgument);
        }

        Waiter waiter;
        lock (_gate)
        {
            FileLocks locks = LocksOf((inode, wholeFile));
            if (wanted.Kind == LockKind.None || locks.FindConflict(wanted) is null)
            {
                locks.Apply(wanted);
                locks.WakeWaiters();
                Forget(locks);
                return new(Unit.Value);
            }

            if (!wait)
            {
                return new(VolumeError.Locked);
            }

            if (!wholeFile && WouldDeadlock(locks, wanted))
            {
                return new(VolumeError.Deadlock);
            }

            waiter = new Waiter(this, locks, wanted);
            locks.Waiters.Add(waiter);
        }

        waiter.CancelWith(cancellation);
        return new(waiter.Task);
    }

    /// <summary>
    /// Gives up every record lock of an owner on a file: what a close(2) of any of its descriptors does.
    /// </summary>
    public void ReleaseOwner(InodeNumber inode, ulong owner)
    {
        lock (_gate)
        {
            if (_files.TryGetValue((inode, false), out FileLocks? locks))
            {
                locks.Apply(new RangeLock(owner, 0, 0, long.MaxValue, LockKind.None));
                locks.WakeWaiters();
                Forget(locks);
            }
        }
    }

    private FileLocks LocksOf((InodeNumber Inode, bool WholeFile) key)
    {
        if (!_files.TryGetValue(key, out FileLocks? locks))
        {
            locks = new FileLocks(key);
            _files.Add(key, locks);
        }

        return locks;
    }

    private void Forget(FileLocks locks)
    {
        if (locks.Granted.Count == 0 && locks.Waiters.Count == 0)
        {
            _files.Remove(locks.Key);
        }
    }

    /// <summary>
    /// Whether an owner that blocks the wanted lock waits, directly or through others, for the one who wants it.
    /// </summary>
    private bool WouldDeadlock(FileLocks locks, in RangeLock wanted)
    {
        List<ulong> blockers = [];
        locks.AddBlockers(wanted, blockers);
        for (int next = 0; next < blockers.Count; next++)
        {
            if (blockers[next] == wanted.Owner)
            {
                return true;
            }

            // Order of visiting does not matter: the answer is whether the owner is reachable.
            foreach (FileLocks file in _files.Values)
            {
                foreach (Waiter waiter in file.Waiters)
                {
                    if (!file.Key.WholeFile && waiter.Wanted.Owner == blockers[next])
                    {
                        file.AddBlockers(waiter.Wanted, blockers);
                    }
                }
            }
        }

        return false;
    }

    private sealed class FileLocks((InodeNumber Inode, bool WholeFile) key)
    {
        public (InodeNumber Inode, bool WholeFile) Key { get; } = key;

        public List<RangeLock> Granted { get; } = [];

        public List<Waiter> Waiters { get; } = [];

        public RangeLock? FindConflict(in RangeLock wanted)
        {
            foreach (RangeLock held in Granted)
            {
                if (Conflicts(held, wanted))
                {
                    return held;
                }
            }

            return null;
        }

        public void AddBlockers(in RangeLock wanted, List<ulong> owners)
        {
            foreach (RangeLock held in Granted)
            {
                if (Conflicts(held, wanted) && !owners.Contains(held.Owner))
                {
                    owners.Add(held.Owner);
                }
            }
        }

        /// <summary>Replaces what the owner held in the range, splitting locks that reach beyond it.</summary>
        public void Apply(in RangeLock wanted)
        {
            for (int i = Granted.Count - 1; i >= 0; i--)
            {
                RangeLock held = Granted[i];
                if (held.Owner != wanted.Owner || held.Start > wanted.End || wanted.Start > held.End)
                {
                    continue;
                }

                Granted.RemoveAt(i);
                if (held.Start < wanted.Start)
                {
                    Granted.Add(held with { End = wanted.Start - 1 });
                }

                if (held.End > wanted.End)
                {
                    Granted.Add(held with { Start = wanted.End + 1 });
                }
            }

            if (wanted.Kind != LockKind.None)
            {
                Granted.Add(wanted);
            }
        }

        public void WakeWaiters()
        {
            for (int i = 0; i < Waiters.Count;)
            {
                Waiter waiter = Waiters[i];
                if (FindConflict(waiter.Wanted) is not null)
                {
                    i++;
                    continue;
                }

                Waiters.RemoveAt(i);
                Apply(waiter.Wanted);
                waiter.Complete(Unit.Value);
            }
        }

        private static bool Conflicts(in RangeLock held, in RangeLock wanted) =>
            held.Owner != wanted.Owner
            && held.Start <= wanted.End
            && wanted.Start <= held.End
            && (held.Kind == LockKind.Exclusive || wanted.Kind == LockKind.Exclusive);
    }

    private sealed class Waiter(LockManager manager, FileLocks locks, RangeLock wanted)
    {
        private readonly TaskCompletionSource<Result<Unit, VolumeError>> _done =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public RangeLock Wanted { get; } = wanted;

        public Task<Result<Unit, VolumeError>> Task => _done.Task;

        public void Complete(Result<Unit, VolumeError> result) => _done.TrySetResult(result);

        public void CancelWith(CancellationToken cancellation)
        {
            if (cancellation.CanBeCanceled)
            {
                cancellation.UnsafeRegister(static state => ((Waiter)state!).Cancel(), this);
            }
        }

        private void Cancel()
        {
            lock (manager._gate)
            {
                if (locks.Waiters.Remove(this))
                {
                    Complete(VolumeError.Interrupted);
                    manager.Forget(locks);
                }
            }
        }
    }
}
