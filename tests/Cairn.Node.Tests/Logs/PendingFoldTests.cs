using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

public sealed class PendingFoldTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void BlocksThatArriveTogether_AreFoldedInOnePass()
    {
        LogNode away = Node(1).Open();
        LogNode here = Node(2).Open();
        for (int i = 0; i < 20; i++)
        {
            away.Create($"away {i}");
            here.Create($"here {i}");
            Assert.True(away.Log.Seal().IsOk && here.Log.Seal().IsOk);
        }

        Assert.Equal(20UL, away.Log.Positions[away.Log.OwnLogId].BlockSeq);
        int passes = 0;
        here.Log.Changed += _ => passes++;
        here.PullFrom(away);
        away.PullFrom(here);
        Assert.Equal(1, passes);
        Assert.Equal(40, here.Names().Length);
        Assert.Equal(away.TableText(), here.TableText());
    }

    private LogNode Node(int number)
    {
        var node = new LogNode(_scheduler, number, _members);
        _members.Grant(node.Identity);
        return node;
    }
}
