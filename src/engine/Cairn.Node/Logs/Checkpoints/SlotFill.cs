using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>Takes a checkpoint from other members to be kept, where this node has not made it itself, or has lost it.</summary>
/// <remarks>What a crash leaves of one is thrown away by the next. One caller.</remarks>
public sealed class SlotFill(CheckpointShelf shelf, MadeCheckpoint wanted) : ICheckpointFill, IDisposable
{
    private CheckpointSlot? _slot;
    private byte[] _last = [];
    private readonly RecordChain _chain = new();

    /// <summary>Whether the shelf is this one's own, and goes with it. Default false.</summary>
    public bool OwnsShelf { get; init; }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Last => _last;

    /// <inheritdoc/>
    public Result<Unit, IndexError> Begin(Bytes32 checkpoint)
    {
        Invariant.That(checkpoint == wanted.Hash && _slot is null, "a slot is filled with one checkpoint, once");
        shelf.Open();
        _slot = shelf.TakeLeastNeeded();
        return _slot?.Begin() ?? new IndexError("no room for another checkpoint now");
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Add(IReadOnlyList<TableRecordBytes> records)
    {
        if (!TablePage.TryFollow(records, _chain, ref _last))
        {
            return new IndexError("a record that no checkpoint has");
        }

        return _slot!.Add(records.Select(
            static record => KeyValuePair.Create(record.Key.ToArray(), record.Value.ToArray())));
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Finish(IReadOnlyCollection<NodeId> witnesses) =>
        _chain.Hash == wanted.Hash && _chain.Count == wanted.Records
            ? _slot!.End(wanted, isOwn: false)
            : new IndexError("not the records that were vouched for");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_slot is not null)
        {
            shelf.GiveBack(_slot);
        }

        if (OwnsShelf)
        {
            shelf.Dispose();
        }
    }
}
