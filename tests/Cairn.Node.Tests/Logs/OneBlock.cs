using Cairn.Node.Logs;

namespace Cairn.Node.Tests.Logs;

/// <summary>Gives a log one block at a time, as a peer does that has just written it.</summary>
internal static class OneBlock
{
    public static ReceiveOutcome Receive(this ReplicatedLog log, ReadOnlyMemory<byte> block) => log.Receive([block])[0];
}
