using System.Buffers;
using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Core.Rights;

/// <summary>Who may edit one volume, as the pool's log says it: the judge of its transactions.</summary>
/// <remarks>
/// An immutable value. A transaction is judged by the last limit of its author that had not seen it, and by none if all had:
/// never by its place in the order, which its author chooses. docs/decisions/rights.md.
/// </remarks>
public sealed class WriteRights
{
    private const int BytesPerMemberMin = NodeId.Size + 1;
    private const int BytesPerLimitMin = 2;

    private readonly ImmutableSortedDictionary<NodeId, ImmutableArray<MemberLimit>> _members;

    /// <summary>Limits of members, each member's in the order of the pool's log.</summary>
    public WriteRights(IEnumerable<KeyValuePair<NodeId, ImmutableArray<MemberLimit>>> members) =>
        _members = members.ToImmutableSortedDictionary();

    /// <summary>Everybody may edit everything.</summary>
    public static WriteRights None { get; } = new([]);

    /// <summary>Whether nobody was ever limited.</summary>
    public bool IsEmpty => _members.IsEmpty;

    /// <summary>Whether a member may edit the volume now: what it writes next, no limit has seen.</summary>
    public bool MayWrite(NodeId member) =>
        !_members.TryGetValue(member, out ImmutableArray<MemberLimit> limits) || limits[^1].MayWrite;

    /// <summary>A member's limits, in the order of the pool's log.</summary>
    public ImmutableArray<MemberLimit> Of(NodeId member) =>
        _members.TryGetValue(member, out ImmutableArray<MemberLimit> limits) ? limits : [];

    /// <summary>Whether a transaction has no effect, as a whole.</summary>
    public bool Refuses(Transaction transaction)
    {
        if (!_members.TryGetValue(transaction.Id.Log.Author, out ImmutableArray<MemberLimit> limits))
        {
            return false;
        }

        for (int i = limits.Length - 1; i >= 0; i--)
        {
            if (!limits[i].HasSeen(transaction.Id))
            {
                return !limits[i].MayWrite && !IsReaders(transaction);
            }
        }

        return false;
    }

    /// <summary>Whether any transaction that is folded may be judged otherwise than it was.</summary>
    /// <remarks>What every limit had seen after those that both begin with is judged by these, as before.</remarks>
    /// <param name="before">What it was judged by.</param>
    /// <param name="folded">What is folded.</param>
    public bool JudgesOtherwise(WriteRights before, LogPositions folded)
    {
        foreach ((LogId log, LogPosition position) in folded.Logs)
        {
            var last = new TransactionId(log, position.TransactionSeq);
            ImmutableArray<MemberLimit> now = Of(log.Author);
            ImmutableArray<MemberLimit> then = before.Of(log.Author);
            int same = 0;
            while (same < now.Length && same < then.Length && now[same] == then[same])
            {
                same++;
            }

            if (now.Skip(same).Concat(then.Skip(same)).Any(limit => !limit.HasSeen(last)))
            {
                return true;
            }
        }

        return false;
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
            writer.Count(limits.Length);
            foreach (MemberLimit limit in limits)
            {
                writer.Boolean(limit.MayWrite);
                limit.Seen.Encode(writer);
            }
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
            var limits = new MemberLimit[reader.Count(BytesPerLimitMin)];
            for (int k = 0; k < limits.Length; k++)
            {
                limits[k] = new MemberLimit(reader.Boolean(), LogPositions.Decode(ref reader));
            }

            members[i] = new(member, [.. limits]);
        }

        Invariant.That(reader.Complete, "the rights that an index was folded with cannot be read: rebuild it");
        return new WriteRights(members);
    }

    /// <summary>Whether a transaction is one of those by which members that only read take part in garbage collection.</summary>
    private static bool IsReaders(Transaction transaction)
    {
        foreach (Primitive primitive in transaction.Primitives)
        {
            bool isReaders = primitive is NameAuthor or Rescue
                || (primitive is SetRule rule && rule.Object == MarkPlace.Of(transaction.Id.Log.Author));
            if (!isReaders)
            {
                return false;
            }
        }

        return true;
    }
}
