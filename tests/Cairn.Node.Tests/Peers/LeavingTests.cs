using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Ports;

namespace Cairn.Node.Tests.Peers;

/// <summary>Leaving for good: who stays behind can go on, and who has gone does not come back by itself.</summary>
public sealed class LeavingTests
{
    [Fact]
    public void The_last_admin_does_not_leave_the_others_without_one()
    {
        PoolBench bench = PoolBench.Of(1, 621);
        BenchNode admin = bench.Nodes[0];
        BenchNode member = bench.NewNode();
        bench.Join(member, admin, MemberRole.Member);
        bench.Until(() => member.Connected == 1, "connected");
        Result<SafetyProgress, ControlError> refused = Leave(bench, admin)[^1];
        Assert.Equal(ControlErrorKind.Unsuitable, refused.Error.Kind);
        Assert.Contains("`cairn node promote node1`", refused.Error.Message, StringComparison.Ordinal);
        Assert.Equal("online", admin.Status().State);

        bench.Ok(admin, () => admin.Node.PromoteNode("node1", default).AsTask());
        Assert.Equal("This node has left the pool.", Leave(bench, admin)[^1].Value.Sentence);
        Assert.Equal("forgotten", member.Info().Single(node => node.Name == "node0").Role);
    }

    [Fact]
    public void Who_leaves_and_is_heard_by_nobody_is_told()
    {
        PoolBench bench = PoolBench.Of(3, 631);
        BenchNode leaver = bench.Nodes[2];
        foreach (BenchNode other in bench.Nodes.Take(2))
        {
            bench.Network.Cut(leaver.Address, other.Address);
        }

        string said = Leave(bench, leaver, force: true)[^1].Value.Sentence;
        Assert.Contains("`cairn node forget node2`", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Whoever_finds_the_home_of_a_machine_that_left_is_not_let_in()
    {
        PoolBench bench = PoolBench.Of(2, 641);
        HostileMember gone = HostileMember.Join(bench, bench.Nodes[0], MemberRole.Admin);
        BenchNode body = bench.Nodes[2];
        Do(bench, body, async () =>
        {
            await gone.Read();
            await gone.Say(new Cairn.Core.Log.Exclude(body.Id, true));
        });
        bench.Until(
            () => bench.Nodes.Take(2).All(
                node => node.Node.State.Members[body.Id].Standing == MemberStanding.Forgotten),
            "all know that it left");
        Do(bench, body, async () =>
        {
            await using IConnection connection = await gone.Hail();
            Assert.Equal(
                GoodbyeReason.NotMember, Assert.IsType<Goodbye>(await RawPeer.Receive(connection)).Reason);
        });
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(2));
        Assert.Equal(MemberStanding.Forgotten, bench.Nodes[0].Node.State.Members[body.Id].Standing);
        Assert.DoesNotContain(bench.Nodes[0].Status().Problems, problem => problem.Code == "peer-refused");
    }

    [Fact]
    public void What_is_written_while_a_node_leaves_is_handed_on_or_refused()
    {
        PoolBench bench = PoolBench.WithDrives(3, 651);
        BenchNode leaver = bench.Nodes[2];
        Dictionary<string, byte[]> acknowledged = [];
        bench.Do(leaver, async () =>
        {
            await foreach (Result<SafetyProgress, ControlError> step in leaver.Node.Leave(false, default))
            {
                Assert.True(step.IsOk, step.ToString());
                if (acknowledged.Count < 20)
                {
                    byte[] bytes = bench.Bytes(100_000);
                    string name = $"late {acknowledged.Count}";
                    bool isTaken = (await DriveFiles.Write(leaver.Drive, name, bytes)).IsOk;
                    if (isTaken)
                    {
                        acknowledged.Add(name, bytes);
                    }
                }
            }

            return 0;
        });
        leaver.Wipe();
        Assert.NotEmpty(acknowledged);
        Assert.All(acknowledged, file => Assert.Equal(file.Value, bench.Get(bench.Nodes[0], file.Key)));
    }

    /// <summary>They go with it: neither <c>safe</c> nor <c>free</c> counts on them.</summary>
    [Fact]
    public void Copies_on_a_machine_that_is_leaving_are_shown_and_not_counted()
    {
        PoolBench bench = PoolBench.WithDrives(4, 661);
        (BenchNode asker, BenchNode leaver) = (bench.Nodes[0], bench.Nodes[2]);
        Assert.True(bench.Put(asker, "file", bench.Bytes(100_000)).IsOk);
        SafetyReport Look() => bench.Ok(asker, () => asker.Node.Safe("shared/file", default).AsTask());
        bench.Until(() => Look().CopiesConfirmed == 4, "everywhere");
        bench.Nodes[3].Kill();
        bench.Do(leaver, async () =>
            await leaver.Node.Leave(false, default).GetAsyncEnumerator().MoveNextAsync());
        bench.Until(
            () => asker.Info().Single(node => node.Node == leaver.Id).State == "decommissioning", "it says so");
        SafetyReport report = Look();
        Assert.Equal((2, 3), (report.CopiesConfirmed, report.CopiesPossible));
        Assert.Contains(report.Holders, holder => holder.Node == leaver.Id && holder.Chunks == report.Chunks);
    }

    /// <summary>Nobody tells it any more what the others have: there is nothing to wait for.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_machine_that_left_says_so_to_who_would_wait_for_copies(bool startsAgain)
    {
        PoolBench bench = PoolBench.WithDrives(3, 671);
        BenchNode leaver = bench.Nodes[2];
        Assert.True(bench.Put(leaver, "file", bench.Bytes(100_000)).IsOk);
        Assert.True(Leave(bench, leaver)[^1].IsOk);
        if (startsAgain)
        {
            leaver.Kill();
            leaver.Start();
            bench.Until(() => leaver.FindDrive() is not null, "it is back");
        }

        AssertSaysThatItLeft(All(bench, leaver, () => leaver.Node.WaitSafe(null, default)));
        AssertSaysThatItLeft(All(bench, leaver, () => leaver.Node.WaitSafe("shared/file", default)));
        AssertSaysThatItLeft(All(bench, leaver, () => leaver.Node.Evacuate(default)));
        Assert.DoesNotContain("would be lost", leaver.Status().OnlyHere.Sentence, StringComparison.Ordinal);
    }

    private static void AssertSaysThatItLeft(List<Result<SafetyProgress, ControlError>> steps)
    {
        ControlError error = Assert.Single(steps).Error;
        Assert.Equal(ControlErrorKind.NotMember, error.Kind);
        Assert.Contains("has left the pool", error.Message, StringComparison.Ordinal);
    }

    private static List<Result<SafetyProgress, ControlError>> Leave(
        PoolBench bench, BenchNode node, bool force = false) =>
        All(bench, node, () => node.Node.Leave(force, default));

    private static List<Result<SafetyProgress, ControlError>> All(
        PoolBench bench, BenchNode node, Func<IAsyncEnumerable<Result<SafetyProgress, ControlError>>> ask) =>
        bench.Do(node, async () =>
        {
            List<Result<SafetyProgress, ControlError>> steps = [];
            await foreach (Result<SafetyProgress, ControlError> step in ask())
            {
                steps.Add(step);
            }

            return steps;
        });

    private static void Do(PoolBench bench, BenchNode body, Func<Task> work) => bench.Do(body, async () =>
    {
        await work();
        return 0;
    });
}
