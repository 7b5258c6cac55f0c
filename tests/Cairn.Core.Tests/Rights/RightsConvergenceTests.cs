using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tests.Tree;

namespace Cairn.Core.Tests.Rights;

/// <summary>
/// Random edits, random limits, random delivery of both: who has the same logs has the same tree, and nothing of what is refused is
/// in it.
/// </summary>
public sealed class RightsConvergenceTests
{
    [Fact]
    public void Limits_that_come_late_end_in_the_tree_that_they_make_when_known_from_the_start() =>
        Seeds.Run(150, Run);

    private static void Run(ulong seed)
    {
        var random = new Prng(seed);
        Replica[] replicas = [.. Enumerable.Range(1, 4).Select(n => new Replica((byte)n, seed))];
        var known = replicas.ToDictionary(replica => replica, _ => new SortedSet<int>());
        var limits = new List<(NodeId Member, MemberLimit? Limit, WritersLimit? Writers)>();
        for (int step = 0; step < 90; step++)
        {
            Replica replica = replicas[random.Next(replicas.Length)];
            if (random.Chance(4))
            {
                Replica from = replicas[random.Next(replicas.Length)];
                replica.Fold.Receive(from.Written.GetRange(0, random.Next(from.Written.Count + 1)));
            }

            if (random.Chance(8))
            {
                // The first is the admin; it limits what it has seen of somebody, itself among them, or of all.
                LogId member = replicas[random.Next(replicas.Length)].Log;
                LogPositions all = random.Chance(4) ? LogPositions.Empty : replicas[0].Fold.Positions;
                LogPositions seen = random.Chance(4) ? LogPositions.Empty : Only(member, replicas[0]);
                limits.Add(random.Chance(3)
                    ? (member.Author, null, new WritersLimit(random.Chance(3) ? null : [member.Author], all))
                    : (member.Author, new MemberLimit(random.Chance(3), seen), null));
                known[replicas[0]].Add(limits.Count - 1);
                Use(replicas[0], replicas, limits, known[replicas[0]]);
            }

            if (limits.Count > 0 && random.Chance(5))
            {
                known[replica].Add(random.Next(limits.Count));
                Use(replica, replicas, limits, known[replica]);
            }

            new RandomEdits(replica, random, []).Next(step);
        }

        foreach (Replica replica in replicas)
        {
            known[replica].UnionWith(Enumerable.Range(0, limits.Count));
            Use(replica, replicas, limits, known[replica]);
        }

        Replica.Sync(replicas);
        TreeAudit.Check(replicas[0].Fold.Table);
        Assert.Equal(Expected(replicas, replicas[0].Applier.Rights).Listing(), replicas[0].Listing());
    }

    /// <summary>The limits that a replica knows, in the order of the pool's log; what they judge otherwise is folded again.</summary>
    private static void Use(
        Replica replica, Replica[] all,
        List<(NodeId Member, MemberLimit? Limit, WritersLimit? Writers)> limits, SortedSet<int> known)
    {
        var words = known.Select(i => limits[i]).ToList();
        var rights = new WriteRights(
            words.Where(one => one.Limit is not null).GroupBy(one => one.Member).Select(
                member => KeyValuePair.Create(member.Key, member.Select(one => one.Limit!).ToImmutableArray())),
            [.. words.Select(one => one.Writers).OfType<WritersLimit>()]);
        LogPositions folded = replica.Fold.Positions;
        bool isOtherwise = rights.JudgesOtherwise(replica.Applier.Rights, folded, replica.Fold.Table);
        replica.Applier.Rights = rights;
        if (isOtherwise)
        {
            replica.Fold.Reset();
            replica.Fold.Receive([.. all.SelectMany(other => other.Written)
                .Where(written => written.Id.Seq <= folded[written.Id.Log].TransactionSeq)]);
        }
    }

    /// <summary>The tree in which everything that is refused does nothing, and nobody is limited.</summary>
    private static Replica Expected(Replica[] replicas, WriteRights rights)
    {
        var expected = new Replica(99);
        expected.Fold.Receive([.. replicas.SelectMany(replica => replica.Written).Select(
            written => rights.Refuses(written) ? written with { Primitives = [new Rescue([])] } : written)]);
        return expected;
    }

    private static LogPositions Only(LogId log, Replica admin) =>
        admin.Fold.LastOf(log) is > 0 and ulong last
            ? LogPositions.From([new(log, new LogPosition(1, last))])
            : LogPositions.Empty;
}
