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

    /// <summary>Leaves out of a list what decides nothing any more; the rest judges every transaction as the whole did.</summary>
    /// <remarks>
    /// Where all words up to one that allows end at the same transaction of a log, what is up to there was seen by all of them, and
    /// what is behind it the last of them allows: as if none had seen anything of that log. What is left is where the log went on
    /// between a limit and its end. Without this, each word is as long as the pool has logs, for ever, though a log that
    /// nobody writes any more ends at the same transaction in all words.
    /// </remarks>
    internal static ImmutableArray<MemberLimit> Shorten(ImmutableArray<MemberLimit> limits)
    {
        int ended = limits.Length;
        while (ended > 0 && !limits[ended - 1].MayWrite)
        {
            ended--;
        }

        if (ended == 0)
        {
            return limits;
        }

        LogPositions[] seen = [.. limits.Take(ended).Select(static limit => limit.Seen)];
        SortedSet<LogId> moved = [];
        for (int i = 1; i < seen.Length; i++)
        {
            seen[i - 1].AddDifferent(seen[i], moved);
        }

        if (moved.Count == 0)
        {
            return limits[ended..];
        }

        return
        [
            .. limits.Take(ended).Select(limit => limit with { Seen = limit.Seen.Only(moved) }),
            .. limits.Skip(ended),
        ];
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
