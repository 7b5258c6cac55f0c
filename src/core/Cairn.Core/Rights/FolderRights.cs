using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

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
    private readonly ImmutableSortedDictionary<ObjectId, ImmutableArray<LimitFolder>> _folders;

    private FolderRights(ImmutableArray<LimitFolder> limits)
    {
        _limits = limits;
        _folders = limits.GroupBy(limit => limit.Folder)
            .ToImmutableSortedDictionary(folder => folder.Key, folder => folder.ToImmutableArray());
        Marks = [.. limits.Select(limit => limit.After).Distinct()];
    }

    /// <summary>Nothing was ever said of a folder.</summary>
    public static FolderRights None { get; } = new([]);

    /// <summary>Whether nothing was ever said of a folder.</summary>
    public bool IsEmpty => _limits.IsEmpty;

    /// <summary>The transactions that admins wrote behind all they had seen, in the order of the pool's log.</summary>
    public ImmutableArray<TransactionId> Marks { get; }

    /// <summary>All that was said, in the order of the pool's log.</summary>
    public IReadOnlyList<LimitFolder> All => _limits;

    /// <summary>The last word about each folder.</summary>
    public IEnumerable<LimitFolder> InForce => _folders.Values.Select(limits => limits[^1]);

    /// <summary>What was said of the folders of a volume, in the order of the pool's log.</summary>
    public static FolderRights Of(ImmutableArray<LimitFolder> limits) => limits.IsEmpty ? None : new(limits);

    /// <summary>These, without some of what was said.</summary>
    public FolderRights Without(Func<LimitFolder, bool> isUnsaid) => Of(_limits.RemoveAll(limit => isUnsaid(limit)));

    /// <summary>What is said of a member's next transaction: no limit has seen it.</summary>
    public FolderVerdicts Now(NodeId member) => Verdicts(member, static limits => limits[^1]);

    /// <summary>What is said of a transaction.</summary>
    public FolderVerdicts For(TransactionId id) => Verdicts(id.Log.Author, limits => LastFor(limits, id));

    /// <summary>Whether anything is said of a folder, by who had not seen a transaction.</summary>
    public bool IsLimited(ObjectId folder, TransactionId id) =>
        _folders.TryGetValue(folder, out ImmutableArray<LimitFolder> limits)
        && LastFor(limits, id) is { Access: not FolderAccess.Inherit };

    /// <summary>Whether any transaction that is folded may be judged otherwise than it was.</summary>
    /// <param name="before">What it was judged by.</param>
    /// <param name="folded">What is folded.</param>
    public bool JudgeOtherwise(FolderRights before, LogPositions folded)
    {
        // A mark stands for one limit: it is written for it.
        IEnumerable<LimitFolder> differ = _limits.Where(limit => !before.Marks.Contains(limit.After))
            .Concat(before._limits.Where(limit => !Marks.Contains(limit.After)));
        return differ.Any(limit => folded.Logs.Any(
            log => !limit.HasSeen(new TransactionId(log.Key, log.Value.TransactionSeq))));
    }

    internal void Encode(WireWriter writer)
    {
        writer.Count(_limits.Length);
        foreach (LimitFolder limit in _limits)
        {
            LimitFolderCodec.Encode(writer, limit);
        }
    }

    internal static FolderRights Decode(ref WireReader reader)
    {
        var limits = new LimitFolder[reader.Count(VolumeId.Size + ObjectId.Size)];
        for (int i = 0; i < limits.Length && !reader.Failed; i++)
        {
            limits[i] = LimitFolderCodec.Decode(ref reader);
        }

        return reader.Failed ? None : Of([.. limits]);
    }

    private static LimitFolder? LastFor(ImmutableArray<LimitFolder> limits, TransactionId id) =>
        limits.LastOrDefault(limit => !limit.HasSeen(id));

    private FolderVerdicts Verdicts(NodeId member, Func<ImmutableArray<LimitFolder>, LimitFolder?> pick)
    {
        if (!_limits.Any(limit => limit.MayEdit(member) == false))
        {
            return FolderVerdicts.None;
        }

        var mayEdit = new SortedDictionary<ObjectId, bool>();
        var after = new List<TransactionId>();
        foreach ((ObjectId folder, ImmutableArray<LimitFolder> limits) in _folders)
        {
            if (pick(limits) is { } limit && limit.MayEdit(member) is { } may)
            {
                mayEdit.Add(folder, may);
                if (!may)
                {
                    after.Add(limit.After);
                }
            }
        }

        return new FolderVerdicts(mayEdit, after);
    }
}
