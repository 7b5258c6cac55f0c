using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Tree;

/// <summary>
/// Random members, random edits, random delivery: all end with the same bytes, and nothing acknowledged is lost.
/// </summary>
public sealed class ConvergenceTests
{
    [Fact]
    public void All_orders_of_delivery_end_in_the_same_tree() => Seeds.Run(400, Run);

    private static void Run(ulong seed)
    {
        var random = new Prng(seed);

        // Mostly few members, as in an office; now and then a crowd.
        int members = random.Chance(40) ? 2 + random.Next(49) : 2 + random.Next(7);
        Replica[] replicas = [.. Enumerable.Range(1, members).Select(n => new Replica((byte)n, seed))];
        var contents = new Dictionary<string, byte>();
        int steps = 30 + random.Next(120);
        for (int step = 0; step < steps; step++)
        {
            Replica replica = replicas[random.Next(replicas.Length)];
            if (random.Chance(4))
            {
                Replica from = replicas[random.Next(replicas.Length)];
                replica.Fold.Receive(from.Written.GetRange(0, random.Next(from.Written.Count + 1)));
            }

            new RandomEdits(replica, random, contents).Next(step);
        }

        Transaction[] all = [.. replicas.SelectMany(replica => replica.Written)];
        foreach (Replica replica in replicas)
        {
            Shuffle(random, all);
            for (int i = 0; i < all.Length;)
            {
                int batch = Math.Min(1 + random.Next(8), all.Length - i);
                replica.Fold.Receive(new ArraySegment<Transaction>(all, i, batch));
                i += batch;
            }

            Assert.Equal(0, replica.Fold.WaitingCount);
        }

        byte[] state = replicas[0].State();
        string listing = replicas[0].Listing();
        foreach (Replica replica in replicas)
        {
            Assert.Equal(listing, replica.Listing());
            Assert.Equal(state, replica.State());
        }

        TreeAudit.Check(replicas[0].Fold.Table);
        Assert.Empty(Lost(replicas[0], contents));
    }

    /// <summary>
    /// Contents that somebody wrote and nobody superseded or removed, having seen them, but that are not shown.
    /// </summary>
    private static List<string> Lost(Replica replica, Dictionary<string, byte> contents)
    {
        string listing = replica.Listing();
        var kept = new HashSet<string>(listing.Split('\n').Where(line => line.Contains('='))
            .Select(line => line[(line.IndexOf('=') + 1)..]));
        return [.. contents.Where(content => content.Value == 0 && !kept.Contains(content.Key))
            .Select(pair => pair.Key)];
    }

    private static void Shuffle(Prng random, Transaction[] items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
