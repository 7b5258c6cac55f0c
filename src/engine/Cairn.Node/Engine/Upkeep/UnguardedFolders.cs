using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree.Applying;
using Cairn.Node.Logs;

namespace Cairn.Node.Engine.Upkeep;

/// <summary>Looks whether anything came into limited folders of a volume behind the last mark.</summary>
/// <remarks>
/// Where that lay until then, or under its id, somebody could claim to have written just behind the mark. It reads what was
/// written since, on a worker: as long as an admin's node looks now and then, that is not much. docs/decisions/rights.md.
/// </remarks>
internal sealed class UnguardedFolders(ReplicatedLog log)
{
    private const int FoldersPerStep = 256;

    private readonly FolderRights _rights = log.Rights.Folders;

    /// <summary>Whether anything did, by who may edit there.</summary>
    public bool IsAny(CancellationToken cancellation)
    {
        LimitFolder[] limits = [.. _rights.InForce.Where(static limit => limit.Access == FolderAccess.Only)];
        if (limits.Length == 0)
        {
            return false;
        }

        LogPositions guarded = _rights.Renewals is [.., AdminMark last]
            ? last.Seen
            : limits.Select(static limit => limit.Seen).Aggregate(static (one, other) => one.Meet(other));
        if (!log.Compaction.Beginnings.Beyond(guarded).Equals(LogBeginnings.None))
        {
            // Nobody can look any more at what came since: something may have.
            return true;
        }

        return FilledBehind(guarded).Chunk(FoldersPerStep).Any(folders =>
        {
            cancellation.ThrowIfCancellationRequested();
            return IsAnyLimited(folders);
        });
    }

    private bool IsAnyLimited((NodeId Author, ObjectId Folder)[] filled)
    {
        lock (log.Gate)
        {
            var nobody = new FolderJudge(log.Fold.Table, _rights.Nobodys);
            return filled.Any(one => nobody.Denies(one.Folder)
                && !new FolderJudge(log.Fold.Table, _rights.Now(one.Author)).Denies(one.Folder));
        }
    }

    /// <summary>Who put something into which folders, each once.</summary>
    private IEnumerable<(NodeId Author, ObjectId Folder)> FilledBehind(LogPositions guarded) => log.Positions.Logs
        .SelectMany(held => LogHistory.Read(log, held.Key, guarded[held.Key].BlockSeq + 1, held.Value.BlockSeq))
        .Where(written => written.Id.Seq > guarded[written.Id.Log].TransactionSeq)
        .SelectMany(written => written.Primitives.SelectMany(
            primitive => FilledBy(primitive).Select(folder => (written.Id.Log.Author, folder))))
        .Distinct();

    private static IEnumerable<ObjectId> FilledBy(Primitive primitive) => primitive switch
    {
        Place place => [place.Parent],
        Move move => [move.ToParent],
        Exchange exchange => [exchange.FirstParent, exchange.SecondParent],
        _ => [],
    };
}
