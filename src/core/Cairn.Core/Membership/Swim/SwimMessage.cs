using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership.Swim;

/// <summary>What a datagram is for.</summary>
public enum SwimMessageKind : byte
{
    /// <summary>Are you there? Answered by an ack with the same number.</summary>
    Ping = 1,

    /// <summary>I am, or, from a relay: it is.</summary>
    Ack = 2,

    /// <summary>Ask that member for me.</summary>
    PingRequest = 3,

    /// <summary>From a relay: I am well, but it did not answer me. (Lifeguard)</summary>
    Nack = 4,

    /// <summary>Only news.</summary>
    Gossip = 5,
}

/// <summary>A claim about a member.</summary>
/// <param name="Status">What is claimed.</param>
/// <param name="Node">About whom.</param>
/// <param name="Incarnation">The member's own count of refutations that the claim refers to.</param>
/// <param name="By">For a suspicion: who suspects; counts as one confirmation.</param>
public readonly record struct SwimUpdate(Liveness Status, NodeId Node, ulong Incarnation, NodeId By)
{
    /// <summary>Bytes of the encoding, at most.</summary>
    public const int BytesMax = 1 + NodeId.Size + 10 + NodeId.Size;
}

/// <summary>The bytes of SWIM's datagrams: docs/formats/swim.md.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Seq">Matches an answer to its question; chosen by the asker.</param>
/// <param name="Target">For a request: whom to ask.</param>
/// <param name="Updates">News carried along.</param>
public readonly record struct SwimMessage(
    SwimMessageKind Kind, uint Seq, NodeId Target, IReadOnlyList<SwimUpdate> Updates)
{
    /// <summary>The format written and read.</summary>
    public const byte Version = 1;

    /// <summary>Bytes before the updates, at most.</summary>
    public const int HeadBytesMax = 1 + 1 + 4 + NodeId.Size + 2;

    /// <summary>Writes the message.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        WireWriter writer = new(output);
        writer.Byte(Version);
        writer.Byte((byte)Kind);
        writer.UInt32(Seq);
        if (Kind == SwimMessageKind.PingRequest)
        {
            writer.Bytes32(Target.Value);
        }

        writer.Count(Updates.Count);
        for (int i = 0; i < Updates.Count; i++)
        {
            SwimUpdate update = Updates[i];
            writer.Byte((byte)update.Status);
            writer.Bytes32(update.Node.Value);
            writer.VarUInt(update.Incarnation);
            if (update.Status == Liveness.Suspect)
            {
                writer.Bytes32(update.By.Value);
            }
        }
    }

    /// <summary>Reads a message from a member; false for anything else.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SwimMessage message)
    {
        WireReader reader = new(bytes);
        reader.Require(reader.Byte() == Version);
        byte kind = reader.Byte();
        reader.Require(kind is >= (byte)SwimMessageKind.Ping and <= (byte)SwimMessageKind.Gossip);
        uint seq = reader.UInt32();
        bool hasTarget = kind == (byte)SwimMessageKind.PingRequest;
        NodeId target = hasTarget ? new NodeId(reader.Bytes32()) : default;
        int count = reader.Count(1 + NodeId.Size + 1);
        List<SwimUpdate> updates = new(count);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            byte status = reader.Byte();
            reader.Require(status <= (byte)Liveness.Dead);
            NodeId node = new(reader.Bytes32());
            ulong incarnation = reader.VarUInt();
            reader.Require(incarnation <= long.MaxValue);
            NodeId by = status == (byte)Liveness.Suspect ? new NodeId(reader.Bytes32()) : default;
            updates.Add(new SwimUpdate((Liveness)status, node, incarnation, by));
        }

        message = new SwimMessage((SwimMessageKind)kind, seq, target, updates);
        return reader.Complete;
    }
}
