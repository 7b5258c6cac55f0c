using Cairn.Node.Control;
using Cairn.Node.Tests.Peers;

namespace Cairn.Node.Tests.Control;

/// <summary>A loop that died of a bug does nothing more, and all else goes on: only the status can tell.</summary>
public sealed class ProgramErrorsTests
{
    private readonly PoolBench _bench = PoolBench.Of(1, 96);

    [Fact]
    public void WhatABugBrokeOff_StandsInTheStatus()
    {
        BenchNode node = _bench.Nodes[0];
        Assert.DoesNotContain(node.Status().Problems, static problem => problem.Code == "program-error");
        node.Node.NoteFailure("repair", new InvalidOperationException("what should not be"));
        node.Node.NoteFailure("repair", new InvalidOperationException("again"));
        NodeProblem problem = Assert.Single(node.Status().Problems, static problem => problem.Code == "program-error");
        Assert.Equal("An error in the program broke off: repair.", problem.Message);
        Assert.Contains(node.Lines, static line => line.Contains("what should not be", StringComparison.Ordinal));
    }

    [Fact]
    public void WhatEscapesFromWorkThatNobodyWaitsFor_IsReported()
    {
        BenchNode node = _bench.Nodes[0];
        node.Ports.RunInBackground(static () => throw new InvalidOperationException("what should not be"));
        _bench.Scheduler.RunFor(TimeSpan.FromSeconds(1));
        Assert.Contains(
            "what should not be", Assert.Single(_bench.Scheduler.Failures).ToString(), StringComparison.Ordinal);
    }
}
