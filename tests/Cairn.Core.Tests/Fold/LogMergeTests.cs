using Cairn.Core.Fold;
using Cairn.Core.Primitives;
using Cairn.Core.Tests.Tree;

namespace Cairn.Core.Tests.Fold;

public sealed class LogMergeTests
{
    [Fact]
    public void Whole_logs_side_by_side_are_folded_without_waiting_or_undoing()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var random = new Prng(seed);
            Replica[] replicas = [.. Enumerable.Range(1, 3).Select(n => new Replica((byte)n, seed))];
            for (int step = 0; step < 60; step++)
            {
                Replica replica = replicas[random.Next(3)];
                replica.Create($"{step}");
                if (random.Chance(3))
                {
                    replica.Receive(replicas[random.Next(3)]);
                }
            }

            Replica.Sync(replicas);
            var newcomer = new Replica(9);
            using var logs = new LogMerge(replicas.Select(replica => replica.Written));
            int applied = 0;
            while (!logs.IsAtEnd)
            {
                FoldReport report = newcomer.Fold.Receive(logs, 7);
                Assert.Equal((0, 0), (report.Undone, newcomer.Fold.WaitingCount));
                applied += report.Applied;
            }

            Assert.Equal(60, applied);
            Assert.Equal(replicas[0].State(), newcomer.State());
        }
    }

    [Fact]
    public void A_log_whose_dependency_is_nowhere_waits_and_holds_up_no_other()
    {
        var a = new Replica(1);
        var b = new Replica(2);
        a.Create("lost");
        b.Receive(a);
        b.Create("waits");
        var c = new Replica(3);
        c.Create("there");
        var newcomer = new Replica(9);
        using var logs = new LogMerge([b.Written, c.Written]);
        Assert.Equal(1, newcomer.Fold.Receive(logs, 10).Applied);
        Assert.True(logs.IsAtEnd);
        Assert.Equal(1, newcomer.Fold.WaitingCount);
        Assert.Equal(2, newcomer.Fold.Receive(a.Written[0]).Applied);
    }

    [Fact]
    public void Many_logs_of_which_one_lacks_its_beginning_are_folded_whole_once_that_came()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var random = new Prng(seed);
            Replica[] replicas = [.. Enumerable.Range(1, 12).Select(n => new Replica((byte)n, seed))];
            for (int step = 0; step < 100; step++)
            {
                Replica replica = replicas[random.Next(replicas.Length)];
                replica.Create($"{step}");
                replica.Receive(replicas[random.Next(replicas.Length)]);
            }

            Replica.Sync(replicas);
            Replica late = replicas.First(replica => replica.Written.Count > 1);
            var newcomer = new Replica(99);
            using var logs = new LogMerge(replicas.Select(
                replica => replica.Written.Skip(replica == late ? 1 : 0)));
            while (!logs.IsAtEnd)
            {
                newcomer.Fold.Receive(logs, 7);
            }

            Assert.True(newcomer.Fold.WaitingCount > 0);
            newcomer.Fold.Receive(late.Written[0]);
            Assert.Equal(0, newcomer.Fold.WaitingCount);
            Assert.Equal(replicas[0].State(), newcomer.State());
        }
    }
}
