using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs;

/// <summary>The checkpoints of one volume that this node keeps: the one that stands, and one newer.</summary>
/// <remarks>Their indexes are opened when there is something to keep, or to look for. Thread: any.</remarks>
/// <param name="openIndex">Opens one of two indexes.</param>
/// <param name="standing">The newest that all members have made; null for none.</param>
public sealed class CheckpointShelf(Func<int, IIndexStore> openIndex, Func<StandingCheckpoint?> standing) : IDisposable
{
    private readonly Lock _gate = new();
    private CheckpointSlot[] _slots = [];
    private bool _isDisposed;

    /// <summary>The newest that stands, kept here or not.</summary>
    public StandingCheckpoint? Standing => standing();

    /// <summary>The newest that is kept, as far as they were opened; null for none.</summary>
    public MadeCheckpoint? Newest => Slots.Select(slot => slot.Held).MaxBy(held => held?.Depth ?? 0);

    /// <summary>What they take on the disk.</summary>
    public long Bytes => Slots.Sum(slot => slot.Bytes);

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
                _slots = [new CheckpointSlot(openIndex(0)), new CheckpointSlot(openIndex(1))];
            }
        }
    }

    /// <summary>The records of one that is kept; null for another. Blocks.</summary>
    public IIndexStore? View(Bytes32 hash) =>
        Slots.Select(slot => slot.View(hash)).FirstOrDefault(view => view is not null);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                Array.ForEach(_slots, static slot => slot.Dispose());
            }
        }
    }

    /// <summary>Where the next goes: never over the one that stands.</summary>
    internal CheckpointSlot LeastNeeded()
    {
        Bytes32? needed = Standing?.Checkpoint.Hash;
        return Slots.MinBy(slot =>
            slot.Held is not { } held ? 0 : held.Hash == needed ? ulong.MaxValue : held.Depth)!;
    }
}
