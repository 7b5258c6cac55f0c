using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rights;

/// <summary>
/// What an admin said about one member's editing of one volume, or about everybody's removing of one snapshot.
/// </summary>
/// <param name="MayWrite">Whether it may be done, from what the admin had not seen on.</param>
/// <param name="Seen">What the admin had of the logs: judged as it was before.</param>
public sealed record MemberLimit(bool MayWrite, LogPositions Seen)
{
    private const int BytesMin = 2;

    /// <summary>Whether the admin had a transaction when it said this.</summary>
    public bool HasSeen(TransactionId id) => Seen.Contains(id);

    /// <summary>Whether a transaction is refused by the last limit that had not seen it; by none if all had.</summary>
    internal static bool Refuse(ImmutableArray<MemberLimit> limits, TransactionId id)
    {
        for (int i = limits.Length - 1; i >= 0; i--)
        {
            if (!limits[i].HasSeen(id))
            {
                return !limits[i].MayWrite;
            }
        }

        return false;
    }

    /// <summary>Whether two lists may judge a log up to some transaction differently.</summary>
    internal static bool Differ(ImmutableArray<MemberLimit> now, ImmutableArray<MemberLimit> then, TransactionId last)
    {
        int same = 0;
        while (same < now.Length && same < then.Length && now[same] == then[same])
        {
            same++;
        }

        return now.Skip(same).Concat(then.Skip(same)).Any(limit => !limit.HasSeen(last));
    }

    internal static void EncodeAll(WireWriter writer, ImmutableArray<MemberLimit> limits)
    {
        writer.Count(limits.Length);
        foreach (MemberLimit limit in limits)
        {
            writer.Boolean(limit.MayWrite);
            limit.Seen.Encode(writer);
        }
    }

    internal static ImmutableArray<MemberLimit> DecodeAll(ref WireReader reader)
    {
        var limits = new MemberLimit[reader.Count(BytesMin)];
        for (int i = 0; i < limits.Length; i++)
        {
            limits[i] = new MemberLimit(reader.Boolean(), LogPositions.Decode(ref reader));
        }

        return [.. limits];
    }
}
