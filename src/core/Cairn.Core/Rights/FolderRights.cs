using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Applying;

namespace Cairn.Core.Rights;

/// <summary>Who may edit below which folders of one volume, as the pool's log says it.</summary>
/// <remarks>
/// An immutable value. A transaction is judged by the last limit of each folder that had not seen it, as it is by those of
/// its author and of the volume (<see cref="WriteRights"/>). Which folders it touches is asked of the tree at its place in
/// the order, and that place its author chooses: so who is limited anywhere is only obeyed in what was written after the
/// admin's mark, where the tree has all that the admin had seen. docs/decisions/rights.md.
/// </remarks>
public sealed class FolderRights
{
    private readonly ImmutableArray<LimitFolder> _limits;
    private readonly ImmutableArray<AdminMark> _renewals;
    private readonly ImmutableSortedDictionary<ObjectId, ImmutableArray<LimitFolder>> _folders;

    private FolderRights(ImmutableArray<LimitFolder> limits, ImmutableArray<AdminMark> renewals)
    {
        (_limits, _renewals) = (limits, renewals);
        _folders = limits.GroupBy(limit => limit.Folder)
            .ToImmutableSortedDictionary(folder => folder.Key, folder => folder.ToImmutableArray());
        Marks = [.. limits.Select(limit => limit.After).Concat(renewals.Select(mark => mark.After)).Distinct()];
    }

    /// <summary>Nothing was ever said of a folder.</summary>
    public static FolderRights None { get; } = new([], []);

    /// <summary>Whether nothing was ever said of a folder.</summary>
    public bool IsEmpty => _limits.IsEmpty;

    /// <summary>The transactions that admins wrote behind all they had seen, in the order of the pool's log.</summary>
    public ImmutableArray<TransactionId> Marks { get; }

    /// <summary>Later marks, for what came into the folders since: in the order of the pool's log.</summary>
    public ImmutableArray<AdminMark> Renewals => _renewals;

    /// <summary>The last word about each folder.</summary>
    public IEnumerable<LimitFolder> InForce => _folders.Values.Select(limits => limits[^1]);

    /// <summary>What was said of the folders of a volume.</summary>
    /// <param name="limits">In the order of the pool's log.</param>
    /// <param name="renewals">Later marks, in the order of the pool's log.</param>
    public static FolderRights Of(ImmutableArray<LimitFolder> limits, params ImmutableArray<AdminMark> renewals) =>
        limits.IsEmpty ? None : new(limits, renewals);

    /// <summary>These, and one thing more that an admin said.</summary>
    public FolderRights And(Primitive said) => said switch
    {
        LimitFolder limit => Of(_limits.Add(limit), _renewals),
        RenewMark renewal => Of(
            _limits,
            _renewals.RemoveAll(mark => renewal.Idle.Contains(mark.After))
                .Add(new AdminMark(renewal.Seen, renewal.After))),
        ReplaceMark other => Of(
            [.. _limits.Select(limit => limit.After == other.Lost ? limit with { After = other.After } : limit)],
            [.. _renewals.Select(mark => mark.After == other.Lost ? mark with { After = other.After } : mark)]),
        _ => this,
    };

    /// <summary>These, without what limits a member's own editing by marks that are not there.</summary>
    public FolderRights Without(NodeId member, Func<TransactionId, bool> isMissing) => Of(
        _limits.RemoveAll(limit => limit.MayEdit(member) == false && isMissing(limit.After)),
        IsEverLimited(member) ? _renewals.RemoveAll(mark => isMissing(mark.After)) : _renewals);

    /// <summary>The marks of all that limits a member's editing, or did.</summary>
    public ImmutableArray<AdminMark> MarksFor(NodeId member) => !IsEverLimited(member) ? [] :
    [
        .. _limits.Where(limit => limit.MayEdit(member) == false)
            .Select(static limit => new AdminMark(limit.Seen, limit.After)),
        .. _renewals,
    ];

    /// <summary>What would be said of who is on no list.</summary>
    public FolderVerdicts Nobodys => Now(default);

    /// <summary>What is said of a member's next transaction: no limit has seen it.</summary>
    public FolderVerdicts Now(NodeId member) => Verdicts(member, static _ => false);

    /// <summary>What is said of a transaction.</summary>
    public FolderVerdicts For(TransactionId id) =>
        Verdicts(id.Log.Author, seen => seen.Contains(id));

    /// <summary>Whether anything is said of a folder, by who had not seen a transaction.</summary>
    public bool IsLimited(ObjectId folder, TransactionId id) =>
        _folders.TryGetValue(folder, out ImmutableArray<LimitFolder> limits)
        && limits.LastOrDefault(limit => !limit.HasSeen(id)) is { Access: not FolderAccess.Inherit };

    /// <summary>Up to where everything that is folded is judged as it was.</summary>
    /// <param name="before">What it was judged by.</param>
    /// <param name="folded">What is folded.</param>
    /// <param name="table">Into what.</param>
    public LogPositions JudgedAlike(FolderRights before, LogPositions folded, ITableSource table)
    {
        // A mark stands for one limit or renewal: it is written for it.
        LogPositions judgedByLast = _renewals.IsEmpty ? LogPositions.Empty : _renewals[^1].Seen.Meet(folded);
        IEnumerable<LogPositions> seen =
        [
            .. _limits.Where(limit => !before.Marks.Contains(limit.After)).Select(static limit => limit.Seen),
            .. before._limits.Where(limit => !Marks.Contains(limit.After)).Select(static limit => limit.Seen),
            .. _renewals.Where(mark => !before.Marks.Contains(mark.After)).Select(static mark => mark.Seen),
            .. before._renewals.Where(mark => !Marks.Contains(mark.After) && !before.IsIdle(mark, judgedByLast, table))
                .Select(static mark => mark.Seen),
        ];
        return seen.Aggregate(folded, static (alike, positions) => alike.Meet(positions));
    }

    /// <summary>The marks of renewals that judge nothing any more beside one that has seen so much.</summary>
    /// <param name="seen">What it has seen; all of it is folded.</param>
    /// <param name="table">Into what.</param>
    public ImmutableArray<TransactionId> IdleBeside(LogPositions seen, ITableSource table) =>
        [.. _renewals.Where(mark => IsIdle(mark, seen, table)).Select(static mark => mark.After)];

    internal void Encode(WireWriter writer)
    {
        writer.Count(_limits.Length);
        foreach (LimitFolder limit in _limits)
        {
            LimitFolderCodec.Encode(writer, limit);
        }

        // What was noted before marks were renewed ends here.
        if (!_renewals.IsEmpty)
        {
            writer.Count(_renewals.Length);
            foreach (AdminMark mark in _renewals)
            {
                mark.Encode(writer);
            }
        }
    }

    internal static FolderRights Decode(ref WireReader reader)
    {
        var limits = new LimitFolder[reader.Count(VolumeId.Size + ObjectId.Size)];
        for (int i = 0; i < limits.Length && !reader.Failed; i++)
        {
            limits[i] = LimitFolderCodec.Decode(ref reader);
        }

        var renewals = new AdminMark[reader.Remaining > 0 ? reader.Count(AdminMark.BytesMin) : 0];
        for (int i = 0; i < renewals.Length && !reader.Failed; i++)
        {
            renewals[i] = AdminMark.Decode(ref reader);
        }

        return reader.Failed ? None : Of([.. limits], [.. renewals]);
    }

    /// <summary>
    /// Whether all that a renewal has not seen, of what another has, was written after its mark: then nothing is late by it,
    /// nor by those before.
    /// </summary>
    private bool IsIdle(AdminMark renewal, LogPositions seen, ITableSource table) =>
        _renewals.TakeWhile(earlier => earlier.After != renewal.After)
            .All(earlier => SeenLimits.HasSeen(table, earlier.After, renewal.After))
        && seen.Logs.All(log => renewal.HasSeen(new TransactionId(log.Key, log.Value.TransactionSeq))
            || !IsEverLimited(log.Key.Author)
            || SeenLimits.HasSeen(
                table, renewal.After, new TransactionId(log.Key, renewal.Seen[log.Key].TransactionSeq + 1)));

    /// <summary>Whether there is any limit by which a member may not edit.</summary>
    private bool IsEverLimited(NodeId member) => _limits.Any(limit => limit.MayEdit(member) == false);

    private FolderVerdicts Verdicts(NodeId member, Func<LogPositions, bool> isSeen)
    {
        if (!IsEverLimited(member))
        {
            return FolderVerdicts.None;
        }

        var mayEdit = new SortedDictionary<ObjectId, bool>();
        var after = new List<TransactionId>();
        foreach ((ObjectId folder, ImmutableArray<LimitFolder> limits) in _folders)
        {
            if (limits.LastOrDefault(limit => !isSeen(limit.Seen)) is { } limit && limit.MayEdit(member) is { } may)
            {
                mayEdit.Add(folder, may);
                if (!may)
                {
                    after.Add(limit.After);
                }
            }
        }

        if (after.Count > 0 && _renewals.LastOrDefault(mark => !isSeen(mark.Seen)) is { } renewal)
        {
            after.Add(renewal.After);
        }

        return new FolderVerdicts(mayEdit, after);
    }
}
