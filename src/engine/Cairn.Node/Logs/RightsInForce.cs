using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree;

namespace Cairn.Node.Logs;

/// <summary>
/// Who may edit the volume, and which snapshots are held, as its table is folded: what the pool's log said when it was last asked.
/// </summary>
/// <remarks>
/// The limits stand in the table, so that it is never judged by others than were known when it was folded: a limit that
/// came while the node was down is noticed at the next start. docs/decisions/rights.md. Under the log's gate, but for
/// <see cref="Current"/>.
/// </remarks>
internal sealed class RightsInForce(IMembers members, TreeApplier applier, NodeId self)
{
    private volatile WriteRights _current = WriteRights.None;
    private ImmutableArray<TransactionId> _awaited = [];
    private WriteRights? _encodedOf;
    private byte[]? _encoded;

    /// <summary>What stood in the table when it was last looked at, and which table that was.</summary>
    private (WriteRights? Rights, OrderedFold? Fold, int Reload) _noted;

    /// <summary>Behind <see cref="FoldKeys.Reserved"/>: the limits.</summary>
    internal const byte Tag = (byte)'R';

    private static byte[] Key => [FoldKeys.Reserved, Tag];

    /// <summary>Made once for each: it is asked for every few seconds.</summary>
    private byte[]? EncodedCurrent
    {
        get
        {
            if (!ReferenceEquals(_encodedOf, _current))
            {
                (_encodedOf, _encoded) = (_current, _current.IsEmpty ? null : _current.Encode());
            }

            return _encoded;
        }
    }

    /// <summary>What holds. Any thread.</summary>
    public WriteRights Current => _current;

    /// <summary>Takes over what the pool's log says now, for everything that is folded from here on.</summary>
    /// <returns>
    /// What it changed: all that is judged otherwise by it is applied again. Null: some of that cannot be undone any more, and
    /// everything must be folded again.
    /// </returns>
    public FoldReport? Renew(OrderedFold fold)
    {
        _current = Usable(members.Rights, fold);
        if (_noted == (_current, fold, fold.ReloadCount))
        {
            // It is asked every few seconds and at each block of the pool's log, and the record may be long.
            return FoldReport.Nothing;
        }

        _noted = default;
        bool isAsNoted = fold.Table.Get(Key).AsSpan().SequenceEqual(EncodedCurrent);
        WriteRights before = isAsNoted ? _current : NotedIn(fold.Table);
        applier.Obey(_current, before, fold.Table);
        if (isAsNoted)
        {
            _noted = (_current, fold, fold.ReloadCount);
            return FoldReport.Nothing;
        }

        FoldReport? changed = fold.Again(JudgedAlike(before, fold));
        if (changed is not null)
        {
            Note(fold.Table);
            _noted = (_current, fold, fold.ReloadCount);
        }

        return changed;
    }

    /// <summary>Goes on with a table that was folded before, if all it has is judged by what holds as it was then.</summary>
    /// <returns>False, and nothing is changed, if it is not.</returns>
    public bool TryGoOn(OrderedFold fold)
    {
        WriteRights before = NotedIn(fold.Table);
        bool isAlike = JudgedAlike(before, fold).Covers(fold.Positions);
        if (isAlike)
        {
            applier.Obey(_current, before, fold.Table);
            Note(fold.Table);
        }

        return isAlike;
    }

    /// <summary>Whether a mark has come for which a limit was left out.</summary>
    public bool IsOverdue(OrderedFold fold) => _awaited.Any(fold.Has);

    /// <summary>What is settled is not judged again.</summary>
    private LogPositions JudgedAlike(WriteRights before, OrderedFold fold)
    {
        LogPositions alike = _current.JudgedAlike(before, fold.Positions, fold.Table);
        return fold.Ground is { } ground ? ground.And(alike) : alike;
    }

    private static WriteRights NotedIn(ITreeTable table) =>
        table.Get(Key) is { } noted ? WriteRights.Decode(noted) : WriteRights.None;

    /// <summary>
    /// Without the limits of this node's own editing whose mark is not here yet: what it writes meanwhile would have no
    /// effect, and could not be written again behind the mark.
    /// </summary>
    private WriteRights Usable(WriteRights rights, OrderedFold fold)
    {
        FolderRights usable = rights.Folders.Without(self, mark => !fold.Has(mark));
        _awaited = [.. rights.Folders.Marks.Except(usable.Marks)];
        return _awaited.IsEmpty ? rights : rights.With(usable);
    }

    /// <summary>Notes in the table what it is folded with.</summary>
    public void Note(ITreeTable table)
    {
        byte[]? now = EncodedCurrent;
        if (!table.Get(Key).AsSpan().SequenceEqual(now))
        {
            table.Put(Key, now);
        }
    }
}
