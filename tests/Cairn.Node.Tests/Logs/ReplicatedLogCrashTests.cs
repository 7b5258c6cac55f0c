using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;
using Cairn.Storage;

namespace Cairn.Node.Tests.Logs;

/// <summary>The machine dies at every single change of its disk, in both ways; whatever was acknowledged is there afterwards.</summary>
public sealed class ReplicatedLogCrashTests
{
    private const int Files = 14;

    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void DyingAtAnyChange_LosesNothingAcknowledged(CrashKind kind)
    {
        bool died = true;
        for (long at = 1; died; at++)
        {
            died = RunUntilDeath(kind, at);
        }
    }

    private static bool RunUntilDeath(CrashKind kind, long at)
    {
        var scheduler = new SimulatedScheduler();
        var members = new LogMembers();
        var node = new LogNode(scheduler, 1, members);
        var peer = new LogNode(scheduler, 2, members);
        members.Grant(node.Identity);
        members.Grant(peer.Identity);
        peer.Open();
        node.Disk.Faults.DieAtChange = at;
        var written = new List<string>();
        var durable = new List<string>();
        Work(node, peer, written, durable);
        bool died = node.Disk.Faults.IsDead;
        node.Crash(kind, (ulong)at);

        node.Open();
        List<string> expected = kind == CrashKind.ProcessKilled ? written : durable;
        string[] names = node.Names();
        Assert.True(expected.All(names.Contains), $"at {at}: {string.Join(',', expected.Except(names))} lost");

        // What the peer has is a prefix of what the node has, and both go on together.
        Assert.True(peer.Names().All(names.Contains), $"at {at}: the peer knows more");
        node.Create("after");
        Result<Unit, StoreError> done = node.Log.Seal();
        Assert.True(done.IsOk, $"at {at}: {done}");
        peer.PullFrom(node);
        node.PullFrom(peer);
        Assert.Equal(node.TableText(), peer.TableText());
        Assert.Empty(peer.Log.Findings.Take());
        node.Close();
        node.Open();
        Assert.Equal(node.TableText(), peer.TableText());
        return died;
    }

    private static void Work(LogNode node, LogNode peer, List<string> written, List<string> durable)
    {
        if (!node.TryOpen().IsOk)
        {
            return;
        }

        for (int i = 0; i < Files && !node.Disk.Faults.IsDead; i++)
        {
            string name = $"f{i}";
            if (node.TryCreate(name))
            {
                written.Add(name);
            }

            bool isDurable = (i % 5) switch
            {
                1 => node.Journal.Commit().IsOk,
                3 => node.Log.Seal().IsOk,
                4 => node.Log.Persist().IsOk,
                _ => false,
            };
            if (isDurable)
            {
                durable.Clear();
                durable.AddRange(written);
            }

            if (i % 5 == 3 && !node.Disk.Faults.IsDead)
            {
                peer.PullFrom(node);
            }
        }
    }
}
