using Cairn.Node.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

public sealed class LargeIndexTests
{
    private const int Files = 100;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();

    [Fact]
    public void ALargeIndex_IsNotReadThroughAtTheStart()
    {
        var node = new LogNode(_scheduler, 1, _members);
        _members.Grant(node.Identity);
        node.Open();
        for (int i = 0; i < Files; i++)
        {
            node.Create($"f{i:D2}");
        }

        node.Close();
        long learning = ScansOfAStart(node, new ReplicatedLogOptions());
        long notLearning = ScansOfAStart(node, new ReplicatedLogOptions { LearnIndexBytesMax = 0 });
        Assert.True(notLearning < learning, $"{notLearning} scans of a large index, {learning} of a small one");
        Assert.Equal(Files, node.Open(new ReplicatedLogOptions { LearnIndexBytesMax = 0 }).Names().Length);
    }

    private static long ScansOfAStart(LogNode node, ReplicatedLogOptions options)
    {
        long before = node.Index.ScanCount;
        node.Open(options);
        long scans = node.Index.ScanCount - before;
        node.Close();
        return scans;
    }
}
