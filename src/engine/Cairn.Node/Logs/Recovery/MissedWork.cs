using Cairn.Core.Fold.Tables;
using Cairn.Core.Tree.Returning;
using Cairn.Node.Logs.Index;

namespace Cairn.Node.Logs.Recovery;

/// <summary>
/// Whether own work was folded where the tree did not know what it is about: that was condemned without this node's word.
/// </summary>
/// <remarks>
/// Nothing is condemned that a member may still edit, but where nobody waits for that member; and it may hear of the condemnation
/// before it hears that it was forgotten, or after it has made good what it knew of. So whatever the reason: such work is looked for
/// and made again, and until then this node gives no word and agrees to no list, for the chunks of that are in no tree. The table
/// says it, too, so that a crash does not forget it. docs/decisions/garbage.md. Under the log's gate, but for <see cref="IsAny"/>.
/// </remarks>
internal sealed class MissedWork(ReplicatedLog log, MissedObjects missed)
{
    /// <summary>So many are remembered that were looked after; what is beyond that is looked after anew when it is folded again.</summary>
    private const int LookedMax = 100_000;

    private static readonly byte[] Key = [IndexTable.NodesOwn, (byte)'m'];

    private readonly HashSet<MissedEdit> _looked = [];
    private HashSet<MissedEdit> _waiting = [];
    private volatile bool _isNoted;

    /// <summary>Whether nobody looked after it yet; from the moment on in which it is folded. Any thread.</summary>
    public bool IsAny => missed.IsAny || _isNoted;

    /// <summary>Looks what was noted before this start.</summary>
    public void Look() => _isNoted = missed.Author != default && log.Fold.Table.Get(Key) is not null;

    /// <summary>Notes what was folded since; always before the table is persisted.</summary>
    public void Note()
    {
        if (missed.IsAny)
        {
            // Before it is taken out: whoever asks from another thread looks there first, and sees it here then.
            bool wasNoted = _isNoted;
            _isNoted = true;
            _waiting.UnionWith(missed.Take());
            _waiting.ExceptWith(_looked);
            _isNoted = wasNoted || _waiting.Count > 0;
        }

        if (_isNoted && log.Fold.Table.Get(Key) is null)
        {
            log.Fold.Table.Put(Key, []);
        }
    }

    /// <summary>Somebody begins to look after all that is noted.</summary>
    /// <returns>To be told when that is done.</returns>
    public IReadOnlyCollection<MissedEdit> Begin()
    {
        Note();
        return [.. _waiting];
    }

    /// <summary>It was looked after, what had to be made again is there.</summary>
    /// <param name="begun">What was noted when that began: more may have come.</param>
    public void Done(IReadOnlyCollection<MissedEdit> begun)
    {
        if (_looked.Count > LookedMax)
        {
            _looked.Clear();
        }

        Note();
        _looked.UnionWith(begun);
        _waiting.ExceptWith(begun);
        if (_waiting.Count == 0)
        {
            _isNoted = false;
            log.Fold.Table.Put(Key, null);
        }
    }
}
