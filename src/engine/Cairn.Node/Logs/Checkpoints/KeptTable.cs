using Cairn.Core.Fold;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>What this node had folded of a volume before it stood on a checkpoint that was settled without it.</summary>
/// <remarks>
/// It alone knows what edits were about that the checkpoint has forgotten; so it is whole and synced before the table is
/// replaced, and stays until everything is made again. docs/decisions/absent-history.md. The index is opened when it is
/// asked for. Thread: any.
/// </remarks>
/// <param name="openIndex">Opens the index that it lies in; disposed with this.</param>
public sealed class KeptTable(Func<IIndexStore> openIndex) : IDisposable
{
    private const int Batch = 1024;

    private readonly Lock _gate = new();
    private CheckpointSlot? _slot;
    private bool _isDisposed;

    /// <summary>What it takes on the disk, as far as it was opened.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _isDisposed ? 0 : _slot?.Bytes ?? 0;
            }
        }
    }

    /// <summary>Whether there is one, from before a checkpoint. Blocks.</summary>
    /// <param name="settled">The checkpoint's hash.</param>
    public bool IsFrom(Bytes32 settled) => Open()?.Held?.Hash == settled;

    /// <summary>Its records, all read once, whatever becomes of it; null if there is none. Blocks.</summary>
    /// <returns>A failure where it is damaged: then there is none any more.</returns>
    public Result<IIndexStore?, IndexError> View()
    {
        if (Open() is not { Held: { } held } slot)
        {
            return Result<IIndexStore?, IndexError>.Ok(null);
        }

        IIndexStore? view = slot.View(held.Hash);
        if (view is not null && CheckpointShelf.IsWhole(view, held with { Hash = held.Basis }))
        {
            return Result<IIndexStore?, IndexError>.Ok(view);
        }

        view?.Dispose();
        slot.Forget();
        return new IndexError("what was kept of the time before the settled checkpoint is damaged");
    }

    /// <summary>Keeps a table in place of one that was kept before. Under the log's gate; as slow as the table is large.</summary>
    /// <param name="fold">What is folded.</param>
    /// <param name="settled">What is to take its place.</param>
    internal Result<Unit, IndexError> Keep(OrderedFold fold, MadeCheckpoint settled)
    {
        if (Open() is not { } slot)
        {
            return new IndexError("the volume is closed");
        }

        fold.Save();
        Result<Unit, IndexError> kept = slot.Begin();
        var chain = new RecordChain();
        using IEnumerator<KeyValuePair<byte[], byte[]>[]> batches = RecordsOf(fold.Table).Chunk(Batch).GetEnumerator();
        while (kept.IsOk && batches.MoveNext())
        {
            Array.ForEach(batches.Current, record => chain.Add(record.Key, record.Value));
            kept = slot.Add(batches.Current);
        }

        // The mark behind the records: a power cut leaves both or no mark.
        kept = kept.IsOk ? slot.Sync() : kept;
        kept = kept.IsOk ? slot.End(MarkOf(settled, chain), isOwn: true) : kept;
        kept = kept.IsOk ? slot.Sync() : kept;
        if (!kept.IsOk)
        {
            // A full disk is not left fuller by what is of no use.
            _ = slot.Begin();
        }

        return kept;
    }

    /// <summary>It is found by the checkpoint's hash; the place of the basis, which it has none of, names its own records.</summary>
    private static MadeCheckpoint MarkOf(MadeCheckpoint settled, RecordChain own) =>
        settled with { Records = own.Count, Basis = own.Hash };

    /// <summary>Everything that it knew is in the tree, or not wanted any more.</summary>
    /// <param name="settled">From before which checkpoint it is: another may have been kept meanwhile.</param>
    internal void Clear(Bytes32 settled)
    {
        if (Open() is { Held: { } held } slot && held.Hash == settled)
        {
            // What is left after a crash is looked at once more.
            _ = slot.Begin();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _slot?.Dispose();
            _slot = null;
        }
    }

    private static IEnumerable<KeyValuePair<byte[], byte[]>> RecordsOf(ITableSource table)
    {
        TableCursor cursor = table.Scan([], []);
        while (cursor.MoveNext())
        {
            // The node's own, numbers of inodes for one, go on in the next table.
            if (!IndexTable.IsNodesOwn(cursor.Key))
            {
                yield return KeyValuePair.Create(cursor.Key, cursor.Value);
            }
        }
    }

    private CheckpointSlot? Open()
    {
        lock (_gate)
        {
            return _isDisposed ? null : _slot ??= new CheckpointSlot(openIndex());
        }
    }
}
