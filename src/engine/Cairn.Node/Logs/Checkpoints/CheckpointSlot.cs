using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>An index that holds one checkpoint, whole or not at all.</summary>
/// <remarks>
/// It is never changed once it is whole, only thrown away. What a crash left of one has no mark, and is thrown away by the
/// next. Thread: one writer; the rest from any.
/// </remarks>
/// <param name="index">Disposed with it.</param>
internal sealed class CheckpointSlot(IIndexStore index) : IDisposable
{
    private static readonly byte[] WholeKey = [IndexTable.NodesOwn, (byte)'k'];
    private static readonly byte[] TakenKey = [IndexTable.NodesOwn, (byte)'t'];

    private readonly Lock _gate = new();
    private MadeCheckpoint? _held = Read(index);
    private bool _isOwn = !index.Get(TakenKey).TryGet(out byte[]? taken, out _) || taken is null;

    /// <summary>What it holds; null for nothing.</summary>
    public MadeCheckpoint? Held
    {
        get
        {
            lock (_gate)
            {
                return _held;
            }
        }
    }

    /// <summary>What it holds, if this node made it of its own fold; null for nothing, or what others gave.</summary>
    public MadeCheckpoint? Made
    {
        get
        {
            lock (_gate)
            {
                return _isOwn ? _held : null;
            }
        }
    }

    /// <summary>What it takes on the disk.</summary>
    public long Bytes => index.Bytes;

    /// <summary>Throws away what is in it.</summary>
    public Result<Unit, IndexError> Begin()
    {
        lock (_gate)
        {
            _held = null;
            return index.Clear();
        }
    }

    /// <summary>The next records.</summary>
    public Result<Unit, IndexError> Add(IEnumerable<KeyValuePair<byte[], byte[]>> records) =>
        index.Apply(records.Select(static record => new IndexChange(record.Key, record.Value)));

    /// <summary>All records are in it.</summary>
    /// <param name="made">What it is.</param>
    /// <param name="isOwn">Whether this node made it of its own fold.</param>
    public Result<Unit, IndexError> End(MadeCheckpoint made, bool isOwn)
    {
        var mark = new ArrayBufferWriter<byte>(128);
        made.Encode(new WireWriter(mark));
        IndexChange whole = new(WholeKey, mark.WrittenMemory);
        Result<Unit, IndexError> ended =
            index.Apply(isOwn ? [whole] : [whole, new IndexChange(TakenKey, new byte[] { 1 })]);
        lock (_gate)
        {
            (_held, _isOwn) = (ended.IsOk ? made : null, isOwn);
        }

        return ended;
    }

    /// <summary>What it holds turned out to be damaged: not kept, by the next life either.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            _held = null;
            _ = index.Apply([new IndexChange(WholeKey, null)]);
        }
    }

    /// <summary>What it holds survives a power cut when this returns.</summary>
    public Result<Unit, IndexError> Sync() => index.Sync();

    /// <summary>Its records, whatever becomes of the slot; null if it holds another, or cannot be read. Blocks.</summary>
    public IIndexStore? View(Bytes32 hash)
    {
        lock (_gate)
        {
            return _held?.Hash == hash && index.View().TryGet(out IIndexStore? view, out _) ? view : null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => index.Dispose();

    private static MadeCheckpoint? Read(IIndexStore index)
    {
        if (!index.Get(WholeKey).TryGet(out byte[]? mark, out _) || mark is null)
        {
            return null;
        }

        var reader = new WireReader(mark);
        MadeCheckpoint made = MadeCheckpoint.Decode(ref reader);
        return reader.Complete ? made : null;
    }
}
