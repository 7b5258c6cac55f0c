using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Journaling;

/// <summary>Group commit: of the callers that come together one syncs, and all get its result.</summary>
/// <remarks>Shares the journal's gate. <c>collect</c> and <c>mark</c> are called under it.</remarks>
internal sealed class JournalCommits(
    object gate,
    Func<(ulong Through, List<SegmentSlot> Slots, StoreError? Failure)> collect,
    Action<StoreError?> mark)
{
    /// <summary>Everything up to this sequence survives power loss.</summary>
    public ulong DurableThrough { get; set; }

    /// <summary>The last acknowledged record: what a commit must cover.</summary>
    public ulong LastRecord { get; set; }

    /// <summary>Whether a sync runs now.</summary>
    public bool IsSyncing { get; private set; }

    /// <summary>Blocks until everything acknowledged before the call is durable.</summary>
    public Result<Unit, StoreError> Commit()
    {
        ulong through;
        List<SegmentSlot> slots;
        lock (gate)
        {
            ulong target = LastRecord;
            while (true)
            {
                (through, slots, StoreError? failure) = collect();
                if (failure is { } failed)
                {
                    return failed;
                }

                if (DurableThrough >= target)
                {
                    return Unit.Value;
                }

                if (!IsSyncing)
                {
                    break;
                }

                Monitor.Wait(gate);
            }

            IsSyncing = true;
            foreach (SegmentSlot slot in slots)
            {
                slot.Users++;
            }
        }

        return Sync(through, slots);
    }

    private Result<Unit, StoreError> Sync(ulong through, List<SegmentSlot> slots)
    {
        StoreError? failure = null;
        foreach (SegmentSlot slot in slots)
        {
            Result<Unit, DiskError> synced = slot.Sync();
            if (!synced.IsOk)
            {
                failure = StoreError.From(synced.Error);
                break;
            }
        }

        lock (gate)
        {
            foreach (SegmentSlot slot in slots)
            {
                slot.Users--;
                slot.SyncedThrough = failure is null ? Math.Max(slot.SyncedThrough, through) : slot.SyncedThrough;
            }

            IsSyncing = false;
            DurableThrough = failure is null ? Math.Max(DurableThrough, through) : DurableThrough;
            mark(failure);
            Monitor.PulseAll(gate);
            return failure is { } failed ? failed : Unit.Value;
        }
    }
}
