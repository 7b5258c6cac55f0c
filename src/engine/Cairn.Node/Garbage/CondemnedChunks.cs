using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Records;
using Cairn.Node.Logs;

namespace Cairn.Node.Garbage;

/// <summary>Which chunks of a volume are condemned and not settled, as this node knows it.</summary>
/// <remarks>
/// Nobody may count on such a chunk again: publishing writes its bytes under another address, repair does not bring it back.
/// Thread: answers from any; it follows the log under the log's gate.
/// </remarks>
public sealed class CondemnedChunks : IDisposable
{
    private readonly ReplicatedLog _log;
    private readonly TreeQueries _queries;
    private readonly NodeId _self;
    private volatile Known _known = new([], [], []);

    /// <summary>Follows a volume's log.</summary>
    public CondemnedChunks(ReplicatedLog log)
    {
        _log = log;
        _queries = new TreeQueries(log.Fold.Table);
        _self = log.OwnLogId.Author;
        lock (log.Gate)
        {
            log.Written += OnWritten;
            log.Changed += OnChanged;
            log.Refolded += Refresh;
            Refresh();
        }
    }

    /// <summary>Whether there are none: the usual case, and free to ask.</summary>
    public bool IsEmpty => _known.All.Count == 0;

    /// <summary>The condemnations that are not settled, and how many chunks each names.</summary>
    public IReadOnlyList<KeyValuePair<TransactionId, int>> Lists => _known.Lists;

    /// <summary>Whether a chunk is condemned.</summary>
    public bool Contains(ChunkAddress address) => _known.All.Contains(address);

    /// <summary>Whether a chunk is condemned, needed by no member, and already removed here.</summary>
    public bool IsRemoved(ChunkAddress address) => _known.Removed.Contains(address);

    /// <inheritdoc/>
    public void Dispose()
    {
        _log.Written -= OnWritten;
        _log.Changed -= OnChanged;
        _log.Refolded -= Refresh;
    }

    private void OnWritten(ImmutableArray<Primitive> primitives)
    {
        foreach (Primitive primitive in primitives)
        {
            bool isOwnMark = primitive is SetRule rule && rule.Object == MarkPlace.Of(_self);
            if (isOwnMark || primitive is Condemn or Rescue)
            {
                Refresh();
                return;
            }
        }
    }

    private void OnChanged(IReadOnlyList<byte[]> keys)
    {
        foreach (byte[] key in keys)
        {
            if (key.Length > 0 && key[0] == TreeKeys.Condemned)
            {
                Refresh();
                return;
            }
        }
    }

    private void Refresh()
    {
        IReadOnlyList<CondemnedAddresses> lists = _queries.Condemned();
        IReadOnlyList<TransactionId> carriedOut = GarbageMark.Of(_queries, _self).CarriedOut;
        _known = new Known(
            [.. lists.SelectMany(list => list.Addresses)],
            [.. lists.Where(list => carriedOut.Contains(list.By)).SelectMany(list => list.Addresses)],
            [.. lists.Select(static list => KeyValuePair.Create(list.By, list.Addresses.Length))]);
    }

    private sealed record Known(
        HashSet<ChunkAddress> All, HashSet<ChunkAddress> Removed, KeyValuePair<TransactionId, int>[] Lists);
}
