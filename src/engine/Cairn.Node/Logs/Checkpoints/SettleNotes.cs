using System.Buffers;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Index;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>What this node has to remember to say whether a checkpoint may be settled: records of its own in the table.</summary>
/// <remarks>docs/decisions/absent-history.md says what for. Under the log's gate; what is asked reads the disk.</remarks>
internal sealed class SettleNotes(ReplicatedLog log)
{
    private const byte ForgottenTag = (byte)'x';

    /// <summary>What was folded when the fold last began with a settled checkpoint.</summary>
    private static readonly byte[] FoldedBeforeKey = [IndexTable.NodesOwn, (byte)'f'];

    /// <summary>Before a member's id: how much of its logs was here when it was forgotten.</summary>
    private static readonly byte[] ForgottenPrefix = [IndexTable.NodesOwn, ForgottenTag];

    /// <summary>
    /// The fold was made anew, with the settled one perhaps: what came before that here stands behind it now, at other places.
    /// </summary>
    /// <remarks>
    /// A checkpoint that this node agreed to had nothing else; so one that has all of this has all of that,
    /// and only such a one is agreed to afterwards.
    /// </remarks>
    public void NoteFolded()
    {
        if (log.Repair.Base.HasBegunWithSettled)
        {
            log.Fold.Table.Put(FoldedBeforeKey, Encode(log.Fold.Positions));
        }
    }

    /// <summary>Whether a checkpoint that is kept here has all that the fold had when it last began with a settled one.</summary>
    public bool HasAllFoldedBefore(Bytes32 checkpoint) => log.Fold.Table.Get(FoldedBeforeKey) is not { } note
        || log.Repair.Base.PositionsOf(checkpoint)?.Covers(Decode(note)) == true;

    /// <summary>Remembers of each forgotten member how much of its work was here when it was forgotten.</summary>
    /// <param name="forgotten">Who is now.</param>
    public void NoteForgotten(IReadOnlyCollection<NodeId> forgotten)
    {
        HashSet<NodeId> noted = [.. Forgotten().Select(static note => note.Key)];
        foreach (NodeId back in noted.Except(forgotten))
        {
            log.Fold.Table.Put(ForgottenKey(back), null);
        }

        foreach (NodeId gone in forgotten.Except(noted))
        {
            log.Fold.Table.Put(ForgottenKey(gone), Encode(LogPositions.From(
                log.Exchange.Positions.Logs.Where(held => held.Key.Author == gone))));
        }
    }

    /// <summary>
    /// Whether a checkpoint that is kept here has nothing of a forgotten member that came after it was forgotten: what that was
    /// about may have been condemned without it, and only its author makes it again.
    /// </summary>
    public bool HasNothingLate(Bytes32 checkpoint) => log.Repair.Base.PositionsOf(checkpoint) is { } has
        && Forgotten().TrueForAll(note => has.Logs
            .Where(late => late.Key.Author == note.Key)
            .All(late => late.Value.TransactionSeq <= note.Value[late.Key].TransactionSeq));

    private List<KeyValuePair<NodeId, LogPositions>> Forgotten()
    {
        var notes = new List<KeyValuePair<NodeId, LogPositions>>();
        TableCursor cursor = log.Fold.Table.Scan(ForgottenPrefix, [IndexTable.NodesOwn, ForgottenTag + 1]);
        while (cursor.MoveNext())
        {
            notes.Add(KeyValuePair.Create(
                new NodeId(cursor.Key.AsSpan(ForgottenPrefix.Length)), Decode(cursor.Value)));
        }

        return notes;
    }

    private static byte[] ForgottenKey(NodeId member) => [.. ForgottenPrefix, .. member.Value.ToArray()];

    private static byte[] Encode(LogPositions positions)
    {
        var output = new ArrayBufferWriter<byte>(128);
        positions.Encode(new WireWriter(output));
        return output.WrittenSpan.ToArray();
    }

    private static LogPositions Decode(byte[] note)
    {
        var reader = new WireReader(note);
        LogPositions positions = LogPositions.Decode(ref reader);
        Invariant.That(reader.Complete, "a note about what may be settled is damaged: rebuild the index");
        return positions;
    }
}
