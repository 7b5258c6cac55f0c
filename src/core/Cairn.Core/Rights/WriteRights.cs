using System.Buffers;
using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Core.Rights;

/// <summary>Who may edit one volume, as the pool's log says it: the judge of its transactions.</summary>
/// <remarks>
/// An immutable value. A transaction is judged by the last limit of its author that had not seen it, and by none if all had:
/// never by its place in the order, which its author chooses. In the same way by the last limit of the volume; both must
/// let it pass. docs/decisions/rights.md. Removals of snapshots are judged by <see cref="Holds"/> beside, edits below
/// limited folders by <see cref="Folders"/>, where the tree is.
/// </remarks>
public sealed class WriteRights
{
    private const int BytesPerMemberMin = NodeId.Size + 1;
    private const int BytesPerLimitMin = 2;

    private readonly ImmutableSortedDictionary<NodeId, ImmutableArray<MemberLimit>> _members;
    private readonly ImmutableArray<WritersLimit> _writers;

    /// <param name="members">Limits of members, each member's in the order of the pool's log.</param>
    /// <param name="writers">Limits of the volume, in the order of the pool's log.</param>
    public WriteRights(
        IEnumerable<KeyValuePair<NodeId, ImmutableArray<MemberLimit>>> members,
        params ImmutableArray<WritersLimit> writers) =>
        (_members, _writers) = (members.ToImmutableSortedDictionary(), writers);

    /// <summary>Everybody may edit everything.</summary>
    public static WriteRights None { get; } = new([]);

    /// <summary>Which snapshots nobody can remove.</summary>
    public SnapshotHolds Holds { get; init; } = SnapshotHolds.None;

    /// <summary>Who may edit below which folders.</summary>
    public FolderRights Folders { get; init; } = FolderRights.None;

    /// <summary>Whether nobody was ever limited, and no snapshot ever held.</summary>
    public bool IsEmpty => IsUnlimited && Holds.IsEmpty && Folders.IsEmpty;

    private bool IsUnlimited => _members.IsEmpty && _writers.IsEmpty;

    /// <summary>Whether a member may edit the volume now: what it writes next, no limit has seen.</summary>
    public bool MayWrite(NodeId member) =>
        IsUnlimited || Lists(member).All(list => list.IsEmpty || list[^1].MayWrite);

    /// <summary>A member's own limits, in the order of the pool's log.</summary>
    public ImmutableArray<MemberLimit> Of(NodeId member) =>
        _members.TryGetValue(member, out ImmutableArray<MemberLimit> limits) ? limits : [];

    /// <summary>These, but for what is said of folders.</summary>
    public WriteRights With(FolderRights folders) => new(_members, _writers) { Holds = Holds, Folders = folders };

    /// <summary>Whether a transaction has no effect, as a whole, wherever it is in the tree.</summary>
    public bool Refuses(Transaction transaction)
    {
        if (IsUnlimited)
        {
            return false;
        }

        bool isRefused = Lists(transaction.Id.Log.Author).Any(list => MemberLimit.Refuse(list, transaction.Id));
        return isRefused && !IsReaders(transaction);
    }

    /// <summary>Up to where everything that is folded is judged as it was.</summary>
    /// <remarks>
    /// What every limit had seen after those that both begin with is judged by these, as before. Only for limits of folders
    /// it is more than all or nothing: they come again and again.
    /// </remarks>
    /// <param name="before">What it was judged by.</param>
    /// <param name="folded">What is folded.</param>
    /// <param name="table">Into what.</param>
    public LogPositions JudgedAlike(WriteRights before, LogPositions folded, ITableSource table)
    {
        if (Holds.JudgeOtherwise(before.Holds, folded, table))
        {
            return LogPositions.Empty;
        }

        // Of members and volumes that were never limited no log need be looked at: there are as many as processes have died.
        bool isAnyLimited = !IsUnlimited || !before.IsUnlimited;
        foreach ((LogId log, LogPosition position) in isAnyLimited ? folded.Logs : [])
        {
            var last = new TransactionId(log, position.TransactionSeq);
            if (Lists(log.Author).Zip(before.Lists(log.Author)).Any(
                pair => MemberLimit.Differ(pair.First, pair.Second, last)))
            {
                return LogPositions.Empty;
            }
        }

        return Folders.JudgedAlike(before.Folders, folded, table);
    }

    /// <summary>The bytes kept beside what was folded with these rights.</summary>
    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        writer.Count(_members.Count);
        foreach ((NodeId member, ImmutableArray<MemberLimit> limits) in _members)
        {
            writer.Bytes32(member.Value);
            MemberLimit.EncodeAll(writer, limits);
        }

        writer.Count(_writers.Length);
        foreach (WritersLimit limit in _writers)
        {
            PoolPrimitiveCodec.EncodeLimit(writer, new LimitVolume(default, limit.Writers, limit.Seen));
        }

        // What was noted before there were clones ends here; what was before folders had limits, behind the next.
        if (!Holds.IsEmpty || !Folders.IsEmpty)
        {
            Holds.Encode(writer);
        }

        if (!Folders.IsEmpty)
        {
            Folders.Encode(writer);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    public static WriteRights Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var members = new KeyValuePair<NodeId, ImmutableArray<MemberLimit>>[reader.Count(BytesPerMemberMin)];
        for (int i = 0; i < members.Length && !reader.Failed; i++)
        {
            var member = new NodeId(reader.Bytes32());
            members[i] = new(member, MemberLimit.DecodeAll(ref reader));
        }

        var writers = new WritersLimit[reader.Count(BytesPerLimitMin)];
        for (int i = 0; i < writers.Length; i++)
        {
            LimitVolume limit = PoolPrimitiveCodec.DecodeVolumeLimit(ref reader);
            writers[i] = new WritersLimit(limit.Writers, limit.Seen);
        }

        SnapshotHolds holds = reader.Remaining > 0 ? SnapshotHolds.Decode(ref reader) : SnapshotHolds.None;
        FolderRights folders = reader.Remaining > 0 ? FolderRights.Decode(ref reader) : FolderRights.None;
        Invariant.That(reader.Complete, "the rights that an index was folded with cannot be read: rebuild it");
        return new WriteRights(members, [.. writers]) { Holds = holds, Folders = folders };
    }

    /// <summary>Whether a transaction is one of those by which members that only read take part in garbage collection.</summary>
    private static bool IsReaders(Transaction transaction)
    {
        foreach (Primitive primitive in transaction.Primitives)
        {
            bool isReaders = primitive is NameAuthor or Rescue or Repeats
                || (primitive is SetRule rule && rule.Object == MarkPlace.Of(transaction.Id.Log.Author));
            if (!isReaders)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>What holds for a member: its own limits, and the volume's.</summary>
    private ImmutableArray<MemberLimit>[] Lists(NodeId member) =>
        [Of(member), [.. _writers.Select(limit => limit.For(member))]];
}
