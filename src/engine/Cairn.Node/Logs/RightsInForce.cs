using Cairn.Core.Fold;
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
internal sealed class RightsInForce(IMembers members, TreeApplier applier)
{
    private volatile WriteRights _current = WriteRights.None;

    private static byte[] Key => [FoldKeys.Reserved, (byte)'R'];

    /// <summary>What holds. Any thread.</summary>
    public WriteRights Current => _current;

    /// <summary>Takes over what the pool's log says now, for everything that is folded from here on.</summary>
    /// <returns>Whether what is folded is judged otherwise by it, and must be folded again.</returns>
    public bool Renew(OrderedFold fold)
    {
        WriteRights before = fold.Table.Get(Key) is { } noted ? WriteRights.Decode(noted) : WriteRights.None;
        applier.Rights = _current = members.Rights;
        bool isOtherwise = _current.JudgesOtherwise(before, fold.Positions, fold.Table);
        if (!isOtherwise)
        {
            Note(fold.Table);
        }

        return isOtherwise;
    }

    /// <summary>Notes in the table what it is folded with.</summary>
    public void Note(ITreeTable table)
    {
        byte[]? now = _current.IsEmpty ? null : _current.Encode();
        if (!table.Get(Key).AsSpan().SequenceEqual(now))
        {
            table.Put(Key, now);
        }
    }
}
