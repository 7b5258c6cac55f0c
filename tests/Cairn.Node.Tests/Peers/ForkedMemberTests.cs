using Cairn.Core.Log;

namespace Cairn.Node.Tests.Peers;

/// <summary>A machine that signs two histories is named to the owner.</summary>
public sealed class ForkedMemberTests
{
    [Fact]
    public void Who_tells_two_stories_in_the_pools_log_is_named_in_the_status()
    {
        PoolBench bench = PoolBench.Of(2, 671);
        BenchNode victim = bench.Nodes[0];
        HostileMember liar = HostileMember.Join(bench, victim);
        BenchNode body = bench.Nodes[2];
        bench.Do(body, async () =>
        {
            await liar.Read();
            await liar.SayTwice(
                new AssignUser(body.Id, "anna"u8.ToArray()), new AssignUser(body.Id, "ben"u8.ToArray()));
            return 0;
        });
        bench.Until(
            () => victim.Status().Problems.Any(problem => problem.Code == "log-forked"
                && problem.Message.Contains("in the pool's own log", StringComparison.Ordinal)),
            "it is named");
        bench.AssertNoFailures();
    }
}
