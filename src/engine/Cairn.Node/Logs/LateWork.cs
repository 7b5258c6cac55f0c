using System.Buffers.Binary;
using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Storage;

namespace Cairn.Node.Logs;

/// <summary>Writes this node's work again that a limit of a folder left without effect because it was made apart from it.</summary>
/// <remarks>
/// Who may not edit some folder is only obeyed in what was written behind the admin's mark, or a claim of age would be a way
/// around the limit. Work that was made before the mark was here is honest, and nobody can tell: so its author says it
/// once more, word for word, as soon as it has the mark. Where the limit does not reach, it then counts. A limit is
/// looked after once; a crash in between only makes it look again, and what was written again already is known by what
/// it says. docs/decisions/rights.md. Under the log's gate.
/// </remarks>
internal sealed class LateWork(ReplicatedLog log, LogPorts ports)
{
    private NodeId Self => ports.Identity.Node;

    /// <summary>Looks for such work, and writes it again behind everything that is folded.</summary>
    public void WriteAgain()
    {
        LimitFolder[] news = [.. log.Rights.Folders.All.Where(
            limit => limit.MayEdit(Self) == false && log.Fold.Table.Get(Key(limit.After)) is null)];
        if (news.Length == 0)
        {
            return;
        }

        var late = new List<Transaction>();
        var said = new HashSet<Bytes32>();
        foreach (Transaction own in OwnSince(news))
        {
            if (new FolderJudge(log.Fold.Table, log.Rights.Folders.For(own.Id)).IsLate(own))
            {
                late.Add(own);
            }
            else if (Repeats.OriginalsOf(own).IsEmpty)
            {
                // One that repeats an own one counts only where that does not, and so does nothing where that is late.
                said.Add(TransactionMeaning.Of(own));
            }
        }

        foreach (Transaction own in late.Where(own => said.Add(TransactionMeaning.Of(own))))
        {
            Result<TransactionId, StoreError> written = log.Append(
                own.Primitives.RemoveAll(static primitive => primitive is Repeats), own.Claimed);
            if (!written.TryGet(out _, out StoreError error))
            {
                log.Report(own.Id.Log, $"{own.Id} cannot be written again yet: {error}");
                return;
            }
        }

        foreach (LimitFolder limit in news)
        {
            log.Fold.Table.Put(Key(limit.After), []);
        }
    }

    /// <summary>A limit that was looked after.</summary>
    private static byte[] Key(TransactionId mark)
    {
        Span<byte> number = stackalloc byte[sizeof(uint) + sizeof(ulong)];
        BinaryPrimitives.WriteUInt32BigEndian(number, mark.Log.Incarnation);
        BinaryPrimitives.WriteUInt64BigEndian(number[sizeof(uint)..], mark.Seq);
        return [FoldKeys.Reserved, (byte)'W', .. mark.Log.Author.Value.ToArray(), .. number];
    }

    /// <summary>Own transactions that not all of some limits had seen, oldest first.</summary>
    private IEnumerable<Transaction> OwnSince(LimitFolder[] limits)
    {
        IEnumerable<Transaction> all = [];
        foreach ((LogId id, LogPosition tip) in log.Exchange.Positions.Logs.Where(held => held.Key.Author == Self))
        {
            ulong first = limits.Min(limit => limit.Seen[id].BlockSeq) + 1;
            all = all.Concat(LogHistory.Read(log, id, first, tip.BlockSeq));
        }

        return [.. all, .. log.Own.Waiting.Select(unsealed => unsealed.Transaction)];
    }
}
