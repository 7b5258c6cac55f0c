using System.Buffers.Binary;
using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree.Applying;
using Cairn.Storage;

namespace Cairn.Node.Logs.Recovery;

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
        // A table that is to be folded again has not noted what has seen the marks.
        if (log.Repair.IsPutOff)
        {
            return;
        }

        ImmutableArray<AdminMark> marks = log.Rights.Folders.MarksFor(Self);
        AdminMark[] news = [.. marks.Where(mark => log.Fold.Table.Get(Key(mark.After)) is null)];
        if (news.Length == 0)
        {
            return;
        }

        foreach ((Transaction own, bool isLate) in WithoutEffect(OwnSince(news)))
        {
            ImmutableArray<Primitive> again = isLate
                ? Repeats.Again(own)
                : own.Primitives.RemoveAll(static primitive => primitive is Repeats);
            Result<TransactionId, StoreError> written = log.Append(again, own.Claimed);
            if (!written.TryGet(out _, out StoreError error))
            {
                log.Report(own.Id.Log, $"{own.Id} cannot be written again yet: {error}");
                return;
            }
        }

        foreach (AdminMark mark in news)
        {
            log.Fold.Table.Put(Key(mark.After), []);
        }
    }

    /// <summary>What is late, and what is about something that late work made; but for what was written again already.</summary>
    /// <remarks>
    /// What is late has no effect, and what repeats it has: should an admin let it stand after all, it counts once.
    /// The mark may be here before the limit: what was written in between is behind the mark, and yet missed what it was
    /// made on. All that stands behind the first that was written again was made on that.
    /// </remarks>
    private List<(Transaction Own, bool IsLate)> WithoutEffect(IEnumerable<Transaction> all)
    {
        var lost = new List<(Transaction Own, bool IsLate)>();
        var places = new Dictionary<Bytes32, int>();
        var again = new HashSet<int>();
        var made = new HashSet<ObjectId>();
        foreach (Transaction own in all)
        {
            Bytes32 meaning = TransactionMeaning.Of(own);
            bool isKnown = places.TryGetValue(meaning, out int place);
            bool isLate = new FolderJudge(log.Fold.Table, log.Rights.Folders.For(own.Id)).IsLate(own);
            if (isKnown && isLate)
            {
                // Late twice: what repeats the second repeats the first, too.
                lost[place] = (own, true);
            }
            else if (isKnown)
            {
                again.Add(place);
            }
            else if (isLate || (again.Count == 0 && IsAbout(own, made)))
            {
                places.Add(meaning, lost.Count);
                lost.Add((own, isLate));
                made.UnionWith(own.Primitives.OfType<CreateObject>().Select(create => create.Object));
            }
        }

        return [.. lost.Where((_, place) => !again.Contains(place))];
    }

    private static bool IsAbout(Transaction transaction, HashSet<ObjectId> objects) => transaction.Primitives.Any(
        primitive => FolderJudge.TouchedBy(primitive).Any(objects.Contains));

    /// <summary>A mark that this node looked after; a table that another member fills says nothing of this one.</summary>
    private byte[] Key(TransactionId mark)
    {
        Span<byte> number = stackalloc byte[sizeof(uint) + sizeof(ulong)];
        BinaryPrimitives.WriteUInt32BigEndian(number, mark.Log.Incarnation);
        BinaryPrimitives.WriteUInt64BigEndian(number[sizeof(uint)..], mark.Seq);
        return
        [
            FoldKeys.Reserved, (byte)'W', .. Self.Value.ToArray(), .. mark.Log.Author.Value.ToArray(), .. number,
        ];
    }

    /// <summary>Own transactions that not all who wrote some marks had seen, oldest first.</summary>
    private IEnumerable<Transaction> OwnSince(AdminMark[] marks)
    {
        IEnumerable<Transaction> all = [];
        foreach ((LogId id, LogPosition tip) in log.Exchange.Positions.Logs.Where(held => held.Key.Author == Self))
        {
            ulong first = marks.Min(mark => mark.Seen[id].BlockSeq) + 1;
            all = all.Concat(LogHistory.Read(log, id, first, tip.BlockSeq));
        }

        return [.. all, .. log.Own.Waiting.Select(unsealed => unsealed.Transaction)];
    }
}
