using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Journaling;

/// <summary>
/// Work nobody waits for: syncs full segments early, cleans freed ones, makes the next, and sees that old ones do not keep others.
/// </summary>
/// <remarks>Shares the journal's gate; what it is given is called under it. One run at a time.</remarks>
internal sealed class JournalMaintenance(
    object gate,
    JournalSegments segments,
    HeldRecords held,
    Action<Action> background,
    Func<(ulong CompleteThrough, bool IsStopped)> state,
    Action<StoreError> fail,
    Action<IReadOnlyList<HeldRecord>> release,
    Action<SegmentSlot> freeIfUnneeded)
{
    private bool _isScheduled;

    /// <summary>Whether files are being touched now.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Asks for a run soon.</summary>
    public void Schedule()
    {
        lock (gate)
        {
            if (_isScheduled || state().IsStopped)
            {
                return;
            }

            _isScheduled = true;
        }

        background(Run);
    }

    private void Run()
    {
        lock (gate)
        {
            IsRunning = true;
        }

        while (RunOnce())
        {
        }

        lock (gate)
        {
            IsRunning = false;
            _isScheduled = false;
            Monitor.PulseAll(gate);
        }
    }

    private bool RunOnce()
    {
        SegmentSlot? toSync;
        SegmentSlot? toClean = null;
        List<SegmentSlot> before = [];
        SegmentSlot? waitedFor = null;
        IReadOnlyList<HeldRecord> waiting = [];
        int index = 0;
        ulong completeThrough;
        bool toMake;
        lock (gate)
        {
            (completeThrough, bool isStopped) = state();
            if (isStopped)
            {
                return false;
            }

            // The next roll first: a writer may be about to need it.
            toMake = segments.IsOut && segments.NeedsPreparing && segments.TryClaimNew(out index);
            toSync = toMake ? null : FindFullUnsynced(completeThrough);
            if (toSync is not null)
            {
                toSync.Users++;
            }
            else if (toMake || !segments.TryClaimUnclean(out toClean))
            {
                toMake = toMake || (segments.NeedsPreparing && segments.TryClaimNew(out index));
                waitedFor = toMake ? null : FindWaitedFor();
                if (waitedFor is not null)
                {
                    // Nobody may begin a new segment in it meanwhile.
                    waitedFor.Live++;
                    waiting = held.Take(waitedFor.Number);
                }
            }
            else
            {
                before = segments.FindUnsynced(completeThrough);
                _ = before.Remove(toClean);
                before.ForEach(static slot => slot.Users++);
            }
        }

        return toSync is not null ? SyncFull(toSync)
            : toClean is not null ? Clean(toClean, before, completeThrough)
            : toMake ? Make(index)
            : waitedFor is not null && MakeVoid(waitedFor, waiting);
    }

    /// <summary>A segment that is needed, and keeps others from being used again, where segments get few.</summary>
    private SegmentSlot? FindWaitedFor() => segments.IsCrowded
        ? held.Segments.Select(segments.Find).FirstOrDefault(static slot => slot is { IsSealed: true, Writing: 0 })
        : null;

    private SegmentSlot? FindFullUnsynced(ulong completeThrough)
    {
        foreach (SegmentSlot slot in segments.Slots)
        {
            if (slot is { IsSealed: true, Writing: 0 } && slot.Number != 0
                && slot.SyncedThrough < slot.LastSeq && slot.LastSeq <= completeThrough)
            {
                return slot;
            }
        }

        return null;
    }

    private bool SyncFull(SegmentSlot slot)
    {
        ulong through = slot.LastSeq;
        Result<Unit, DiskError> synced = slot.Sync();
        lock (gate)
        {
            slot.Users--;
            if (synced.IsOk)
            {
                slot.SyncedThrough = Math.Max(slot.SyncedThrough, through);
            }
            else
            {
                fail(StoreError.From(synced.Error));
            }
        }

        return synced.IsOk;
    }

    /// <param name="slot">What is wiped.</param>
    /// <param name="before">What must be durable first: something in it may be why the slot is not needed.</param>
    /// <param name="through">Up to here.</param>
    private bool Clean(SegmentSlot slot, List<SegmentSlot> before, ulong through)
    {
        Result<Unit, DiskError> synced = Unit.Value;
        for (int i = 0; i < before.Count && synced.IsOk; i++)
        {
            synced = before[i].Sync();
        }

        bool isClean = synced.IsOk && segments.Clean(slot).IsOk;
        lock (gate)
        {
            foreach (SegmentSlot other in before)
            {
                other.Users--;
                other.SyncedThrough = synced.IsOk ? Math.Max(other.SyncedThrough, through) : other.SyncedThrough;
            }

            if (!synced.IsOk)
            {
                fail(StoreError.From(synced.Error));
            }

            segments.Cleaned(slot, isClean);
        }

        return isClean;
    }

    /// <summary>Takes out of a segment what later records make void, so that those need not wait until it is wiped.</summary>
    private bool MakeVoid(SegmentSlot slot, IReadOnlyList<HeldRecord> waiting)
    {
        bool isWritten = waiting.All(record => slot.MakeVoid(record.After).IsOk);
        Result<Unit, DiskError> synced = isWritten ? slot.Sync() : Unit.Value;
        lock (gate)
        {
            slot.Live--;
            if (!synced.IsOk)
            {
                fail(StoreError.From(synced.Error));
            }
            else if (isWritten)
            {
                release(waiting);
            }
            else
            {
                foreach (HeldRecord record in waiting)
                {
                    held.Add(record.Position, record.After);
                }
            }

            freeIfUnneeded(slot);
        }

        return isWritten && synced.IsOk;
    }

    private bool Make(int index)
    {
        Result<SegmentSlot, DiskError> made = segments.Make(index);
        lock (gate)
        {
            segments.Made(made);
        }

        return made.IsOk;
    }
}
