using Cairn.Core.Primitives;
using Cairn.Node.Peers;

namespace Cairn.Node.Replication;

/// <summary>What is on its way, or waits to be, from this node to one other.</summary>
/// <param name="peer">The other.</param>
internal sealed class Lane(NodeId peer)
{
    /// <summary>Bytes that may be sent and not yet confirmed: keeps a fast link busy, and a slow one's queue short.</summary>
    private const long WindowBytes = 24 << 20;

    /// <summary>The other node.</summary>
    public NodeId Peer { get; } = peer;

    /// <summary>Chunks that wait; some may have been sent or forgotten since.</summary>
    public Queue<OwedChunk> Queue { get; } = new();

    /// <summary>The connection; null while there is none.</summary>
    public PeerLink? Link { get; set; }

    /// <summary>Sent and not yet confirmed.</summary>
    public long InFlightBytes { get; set; }

    /// <summary>Whether somebody is sending from the queue.</summary>
    public bool IsPumping { get; set; }

    /// <summary>Whether more may be sent now.</summary>
    public bool HasRoom => Link is { IsClosed: false } && InFlightBytes < WindowBytes;

    /// <summary>Whether chunks read for another lane can go out on this one, too: all of them wait for it.</summary>
    public bool CanTake(List<OwedChunk> chunks) =>
        HasRoom && chunks.TrueForAll(chunk => chunk.StateOf(Peer) == DeliveryState.Waiting);

    /// <summary>Notes how far some chunks are with this peer.</summary>
    public void Mark(List<OwedChunk> chunks, DeliveryState state)
    {
        foreach (OwedChunk chunk in chunks)
        {
            chunk.Set(Peer, state);
        }
    }
}
