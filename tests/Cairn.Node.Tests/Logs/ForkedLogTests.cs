using Cairn.Core.Log;
using Cairn.Node.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Logs;

/// <summary>A second block at a place of a volume's log has no effect, and who signed it is known.</summary>
public sealed class ForkedLogTests
{
    [Fact]
    public void ASecondBlockAtOnePlace_IsRefused_AndItsAuthorIsNamed()
    {
        var members = new LogMembers();
        var scheduler = new SimulatedScheduler();
        LogNode author = Open(1);
        LogNode reader = Open(2);
        author.Create("file");
        Assert.True(author.Log.Seal().IsOk);
        ReadOnlyMemory<byte> first = author.Log.BlocksAfter(LogPositions.Empty, int.MaxValue)[0].Bytes;
        Assert.Equal(ReceiveOutcome.Accepted, reader.Log.Receive(first));

        LogBlock block = LogBlockCodec.Decode(first).Value;
        byte[] payload = block.Payload.ToArray();
        payload[^1] ^= 1;
        byte[] other = LogBlockCodec.EncodeUnsigned(block with { Payload = payload });
        byte[] signature = new byte[LogBlock.SignatureSize];
        reader.Identity.Sign(other, signature);
        Assert.Equal(ReceiveOutcome.Invalid, reader.Log.Receive(LogBlockCodec.Sign(other, signature)));
        Assert.Empty(reader.Log.Forked);

        author.Identity.Sign(other, signature);
        Assert.Equal(ReceiveOutcome.Fork, reader.Log.Receive(LogBlockCodec.Sign(other, signature)));
        Assert.Equal([author.Identity.Node], reader.Log.Forked);
        Assert.Equal(["file"], reader.Names());

        LogNode Open(int number)
        {
            var node = new LogNode(scheduler, number, members);
            members.Grant(node.Identity);
            return node.Open();
        }
    }
}
