using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Peers;

namespace Cairn.Node.Replication;

/// <summary>What is on its way, or waits to be, from this node to one other.</summary>
/// <param name="peer">The other.</param>
internal sealed class Lane(NodeId peer)
{
    /// <summary>Bytes that may be sent and not yet confirmed: keeps a fast link busy, and a slow one's queue short.</summary>
    private const long WindowBytes = 24 << 20;

    // With its head a frame's buffer has 4 MiB then, not twice that.
    private const int ParcelBytesMax = (4 << 20) - (64 << 10);
    private const int SmallBytesMax = 256 << 10;

    /// <summary>While more than that waits to be sent, the link is no fast one, and what is said in between should not wait long.</summary>
    private const long QueuedBytesMax = 12 << 20;

    // Of both, some may have been sent or settled since.
    private readonly Queue<OwedChunk> _waiting = new();
    private readonly Queue<OwedChunk> _unasked = new();

    /// <summary>The other node.</summary>
    public NodeId Peer { get; } = peer;

    /// <summary>The connection; null while there is none.</summary>
    public PeerLink? Link { get; set; }

    /// <summary>Sent and not yet confirmed.</summary>
    public long InFlightBytes { get; set; }

    /// <summary>Whether somebody is sending from the queue.</summary>
    public bool IsPumping { get; set; }

    /// <summary>Whether the peer is being asked what it has.</summary>
    public bool IsAsking { get; set; }

    /// <summary>Whether there may be something to send.</summary>
    public bool HasWaiting => _waiting.Count > 0;

    /// <summary>Whether there may be something to ask about.</summary>
    public bool HasUnasked => _unasked.Count > 0;

    /// <summary>Whether more may be sent now.</summary>
    public bool HasRoom => Link is { IsClosed: false } && InFlightBytes < WindowBytes;

    /// <summary>Puts a chunk behind those that wait as it does.</summary>
    public void Enqueue(OwedChunk chunk) =>
        (chunk.StateOf(Peer) == DeliveryState.Unasked ? _unasked : _waiting).Enqueue(chunk);

    /// <summary>Takes what is sent next; none if nothing waits.</summary>
    /// <remarks>
    /// Small chunks go together, and on a link that takes them fast large ones, too: each parcel costs both sides some ten changes
    /// of threads and the receiver a sync. On others a large chunk goes alone.
    /// </remarks>
    /// <param name="isUnlimited">Whether chunks may be sent as fast as they can be.</param>
    public List<OwedChunk> NextParcel(bool isUnlimited)
    {
        bool isFast = isUnlimited && Link is { QueuedBytes: <= QueuedBytesMax };
        int largest = isFast ? ParcelBytesMax : SmallBytesMax;
        List<OwedChunk> chunks = [];
        int bytes = 0;
        while (chunks.Count < ChunkPut.CountMax && _waiting.TryPeek(out OwedChunk? next))
        {
            bool isWanted = next is { IsOwed: true, IsUnreadable: false }
                && next.StateOf(Peer) == DeliveryState.Waiting;
            bool fits = chunks.Count == 0 || (next.Length <= largest && bytes + next.Length <= ParcelBytesMax);
            if (isWanted && !fits)
            {
                break;
            }

            _waiting.Dequeue();
            if (isWanted)
            {
                chunks.Add(next);
                bytes += next.Length;
                if (next.Length > largest)
                {
                    break;
                }
            }
        }

        return chunks;
    }

    /// <summary>Takes what the peer is asked about next; none if nothing is to be asked.</summary>
    public List<OwedChunk> NextQuestion()
    {
        List<OwedChunk> chunks = [];
        while (chunks.Count < HoldingAsk.CountMax && _unasked.TryDequeue(out OwedChunk? next))
        {
            if (next.IsOwed && next.StateOf(Peer) == DeliveryState.Unasked)
            {
                chunks.Add(next);
            }
        }

        return chunks;
    }

    /// <summary>Whether chunks read for another lane can go out on this one, too: all of them wait for it.</summary>
    public bool CanTake(List<OwedChunk> chunks) =>
        HasRoom && chunks.TrueForAll(chunk => !chunk.IsUnreadable && chunk.StateOf(Peer) == DeliveryState.Waiting);

    /// <summary>Notes how far some chunks are with this peer.</summary>
    public void Mark(List<OwedChunk> chunks, DeliveryState state)
    {
        foreach (OwedChunk chunk in chunks)
        {
            chunk.Set(Peer, state);
        }
    }
}
