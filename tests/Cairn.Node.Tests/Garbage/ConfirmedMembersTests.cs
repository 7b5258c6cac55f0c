using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Simulation;

namespace Cairn.Node.Tests.Garbage;

public sealed class ConfirmedMembersTests
{
    [Fact]
    public void Stable_IsWhatEverybodySaid_AndNothingWhileOneIsSilent()
    {
        NodeId self = new SimulatedIdentity(1).Node;
        NodeId other = new SimulatedIdentity(2).Node;
        var mine = new LogId(self, 1);
        LogPositions held = LogPositions.Empty.With(mine, new LogPosition(5, 50));
        LogPositions said = LogPositions.Empty;
        var members = new ConfirmedMembers(self, () => [self, other], _ => said, () => false);
        Assert.Equal(LogPositions.Empty, members.Stable(held));
        said = LogPositions.Empty.With(mine, new LogPosition(3, 30));
        Assert.Equal(30UL, members.Stable(held)[mine].TransactionSeq);
        said = said.With(new LogId(other, 1), new LogPosition(1, 1));
        Assert.Equal(LogPositions.Empty, members.Stable(held));
        var alone = new ConfirmedMembers(self, () => [self], _ => LogPositions.Empty, () => false);
        Assert.Equal(held, alone.Stable(held));
    }
}
