using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>
/// The checkpoints of one volume that this node keeps: the one that is settled, the one that is settled next, the one that
/// stands, and one newer. Mostly some of them are the same.
/// </summary>
/// <remarks>Their indexes are opened when there is something to keep, or to look for. Thread: any.</remarks>
/// <param name="openIndex">Opens one of <see cref="IndexesMax"/> indexes.</param>
/// <param name="standing">The newest that all members have made; null for none.</param>
public sealed class CheckpointShelf(Func<int, IIndexStore> openIndex, Func<StandingCheckpoint?> standing) : IDisposable
{
    /// <summary>How many there are at most.</summary>
    public const int SlotsMax = 4;

    /// <summary>How many indexes it has at most: one more is for what was folded here before a checkpoint took its place.</summary>
    public const int IndexesMax = SlotsMax + 1;

    private readonly Lock _gate = new();
    private readonly HashSet<CheckpointSlot> _taken = [];
    private CheckpointSlot[] _slots = [];
    private bool _isDisposed;

    /// <summary>The newest that stands, kept here or not.</summary>
    public StandingCheckpoint? Standing => standing();

    /// <summary>The one with which every fold begins; null for none.</summary>
    public Func<StandingCheckpoint?> Settled { get; init; } = static () => null;

    /// <summary>The one that is settled next; null for none.</summary>
    public Func<AgingCheckpoint?> Aging { get; init; } = static () => null;

    /// <summary>The newest that was made here and is kept, as far as they were opened; null for none.</summary>
    public MadeCheckpoint? Newest => Slots.Select(slot => slot.Made).MaxBy(held => held?.Depth ?? 0);

    /// <summary>What was folded here before a checkpoint was begun with that was settled without this node.</summary>
    public KeptTable KeptTable { get; } = new(() => openIndex(SlotsMax));

    /// <summary>One more that is needed: the fold stands on it, and own work is still looked after there. Null for none.</summary>
    internal Func<Bytes32?> StoodOn { get; set; } = static () => null;

    /// <summary>What they take on the disk.</summary>
    public long Bytes => Slots.Sum(slot => slot.Bytes) + KeptTable.Bytes;

    private CheckpointSlot[] Slots
    {
        get
        {
            lock (_gate)
            {
                return _isDisposed ? [] : _slots;
            }
        }
    }

    /// <summary>Opens what is kept.</summary>
    public void Open()
    {
        lock (_gate)
        {
            if (_slots.Length == 0 && !_isDisposed)
            {
                _slots = [.. Enumerable.Range(0, SlotsMax).Select(slot => new CheckpointSlot(openIndex(slot)))];
            }
        }
    }

    /// <summary>The records of one that is kept; null for another. Opens what is kept. Blocks.</summary>
    public IIndexStore? View(Bytes32 hash)
    {
        Open();
        return Slots.Select(slot => slot.View(hash)).FirstOrDefault(view => view is not null);
    }

    /// <summary>Whether one is kept. Opens what is kept.</summary>
    public bool Keeps(Bytes32 hash)
    {
        Open();
        return Slots.Any(slot => slot.Held?.Hash == hash);
    }

    /// <summary>
    /// Makes sure that one can be counted on: all its records are read, and a power cut does not take them. Blocks for that.
    /// </summary>
    /// <returns>Why not. One that is damaged is not kept any more.</returns>
    public Result<Unit, IndexError> Secure(Bytes32 hash)
    {
        Open();
        if (Array.Find(Slots, slot => slot.Held?.Hash == hash) is not { Held: { } held } slot)
        {
            return new IndexError("the checkpoint is not kept");
        }

        bool isWhole;
        using (IIndexStore? view = slot.View(hash))
        {
            isWhole = view is not null && IsWhole(view, held);
        }

        if (!isWhole)
        {
            slot.Forget();
            return new IndexError("the checkpoint is damaged here; others are asked for it");
        }

        return slot.Sync();
    }

    /// <summary>Looks at all records: nothing is thrown away for one that is damaged.</summary>
    internal static bool IsWhole(IIndexStore view, MadeCheckpoint checkpoint)
    {
        var chain = new RecordChain();
        ReadOnlyMemory<byte> last = default;
        for (bool hasMore = true; hasMore;)
        {
            if (!TablePage.After(view, last).TryGet(out TablePage? page, out _))
            {
                return false;
            }

            foreach (TableRecordBytes record in page.Records)
            {
                chain.Add(record.Key.Span, record.Value.Span);
                last = record.Key;
            }

            hasMore = !page.IsEnd;
        }

        return chain.Hash == checkpoint.Hash && chain.Count == checkpoint.Records;
    }

    /// <summary>One that is kept turned out to be damaged: others are asked for it.</summary>
    internal void Forget(Bytes32 hash) => Array.Find(Slots, slot => slot.Held?.Hash == hash)?.Forget();

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                Array.ForEach(_slots, static slot => slot.Dispose());
                KeptTable.Dispose();
            }
        }
    }

    /// <summary>Takes one that nobody asks for any more; null if there is none.</summary>
    internal CheckpointSlot? TakeUnneeded()
    {
        Bytes32?[] needed = [.. Needed(), Newest?.Hash];
        return Take(free => free.FirstOrDefault(slot => slot.Held is { } held && !needed.Contains(held.Hash)));
    }

    /// <summary>Where the next goes: never over one that is needed, or that is being filled.</summary>
    /// <returns>Taken until <see cref="GiveBack"/>; null if there is none.</returns>
    internal CheckpointSlot? TakeLeastNeeded()
    {
        Bytes32?[] needed = Needed();
        return Take(free => free
            .Where(slot => slot.Held is not { } held || !needed.Contains(held.Hash))
            .MinBy(slot => slot.Held?.Depth ?? 0));
    }

    /// <summary>Nothing is written into it any more.</summary>
    internal void GiveBack(CheckpointSlot slot)
    {
        lock (_gate)
        {
            _taken.Remove(slot);
        }
    }

    private Bytes32?[] Needed() =>
        [Standing?.Checkpoint.Hash, Settled()?.Checkpoint.Hash, Aging()?.Standing.Checkpoint.Hash, StoodOn()];

    private CheckpointSlot? Take(Func<IEnumerable<CheckpointSlot>, CheckpointSlot?> choose)
    {
        lock (_gate)
        {
            CheckpointSlot? slot = choose(_slots.Where(slot => !_taken.Contains(slot)));
            if (slot is not null)
            {
                _taken.Add(slot);
            }

            return slot;
        }
    }
}
