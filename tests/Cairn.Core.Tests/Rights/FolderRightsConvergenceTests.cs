using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Rights;

/// <summary>Random edits, random limits of folders, random delivery of both: who has the same logs has the same tree.</summary>
public sealed class FolderRightsConvergenceTests
{
    [Fact]
    public void Limits_that_come_late_end_in_the_tree_that_they_make_when_known_from_the_start() =>
        Seeds.Run(60, Run);

    private static void Run(ulong seed)
    {
        var random = new Prng(seed);
        Replica[] replicas = [.. Enumerable.Range(1, 4).Select(n => new Replica((byte)n, seed))];
        var scene = new FolderScene(replicas);
        var heard = replicas.ToDictionary(replica => replica, _ => new HashSet<int>());
        for (int step = 0; step < 90; step++)
        {
            Replica replica = replicas[random.Next(replicas.Length)];
            if (random.Chance(4))
            {
                Replica from = replicas[random.Next(replicas.Length)];
                replica.Fold.Receive(from.Written.GetRange(0, random.Next(from.Written.Count + 1)));
            }

            if (random.Chance(10) && Folders(scene.Admin) is { Count: > 0 } folders)
            {
                Say(scene, folders[random.Next(folders.Count)], random, replicas);
                heard[scene.Admin].UnionWith(Enumerable.Range(0, scene.Count));
                scene.Tell(heard[scene.Admin], scene.Admin);
            }

            if (scene.Count > 0 && random.Chance(5))
            {
                heard[replica].Add(random.Next(scene.Count));
                scene.Tell(heard[replica], replica);
            }

            new RandomEdits(replica, random, []).Next(step);
        }

        scene.Tell();
        Replica.Sync(replicas);
        TreeAudit.Check(replicas[0].Fold.Table);
        var fresh = new Replica(99) { Applier = { Rights = replicas[0].Applier.Rights } };
        fresh.Receive(replicas);
        fresh.Receive(replicas);
        Assert.Equal(replicas[0].State(), fresh.State());
    }

    private static void Say(FolderScene scene, ObjectId folder, Prng random, Replica[] replicas)
    {
        Replica other = replicas[random.Next(replicas.Length)];
        switch (random.Next(6))
        {
            case 0:
                scene.SayLost(folder, replicas[0], other);
                break;
            case 1:
                scene.ReplaceLost();
                break;
            case 2 or 3:
                scene.Renew();
                break;
            default:
                scene.Say(folder, (FolderAccess)random.Next(3), replicas[0], other);
                break;
        }
    }

    private static List<ObjectId> Folders(Replica replica)
    {
        var found = new List<ObjectId>();
        var pending = new Stack<ObjectId>([TreeQueries.Root]);
        while (pending.TryPop(out ObjectId folder))
        {
            foreach (EntryView entry in replica.Queries.List(folder, default, int.MaxValue))
            {
                if (entry.Kind == TreeKind.Directory)
                {
                    found.Add(entry.Object);
                    pending.Push(entry.Object);
                }
            }
        }

        return found;
    }
}
