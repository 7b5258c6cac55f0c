using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Peers;

/// <summary>Gives what a peer says to whom it is meant for.</summary>
internal sealed class MessageRouter(NodeParts parts)
{
    /// <summary>Takes a message; whoever it is for disposes the frame if it keeps it.</summary>
    public void Handle(PeerLink link, PeerMessage message, IFrame frame)
    {
        switch (message)
        {
            case LogBlocks blocks:
                parts.Sync.OnBlocks(link, blocks, frame);
                return;
            case LogBegins begins:
                parts.Sync.OnBegins(link, begins, frame);
                return;
            case ChunkPut put:
                parts.Copies.Inbox.OnPut(link, put, frame);
                return;
            case LogPositionsMessage positions:
                parts.Sync.OnPositions(link, positions);
                break;
            case OpenFilesMessage open:
                parts.Presence.OnOpenFiles(link, open);
                break;
            case MapRoot or MapBuckets or MapRecords:
                parts.Gossip.OnMap(link, message);
                break;
            case ChunkGet get:
                parts.Copies.Server.OnGet(link, get);
                break;
            case HoldingAsk ask:
                parts.Copies.Server.OnHolding(link, ask);
                break;
            case DigestAsk ask:
                parts.Copies.Server.OnDigest(link, ask);
                break;
            case PartitionAsk ask:
                parts.Copies.Server.OnPartition(link, ask);
                break;
            case DropAsk ask:
                parts.Copies.Server.OnDrop(link, ask);
                break;
            case Ping ping:
                // Who asks waits for what this node owes: the record that says so goes before the answer.
                parts.Publisher.PublishOwed(parts.Copies.Replicator.OwedCount);
                link.Send(new Pong(ping.Request));
                break;
            case TableAsk or CheckpointAsk:
                parts.TableServer.OnAsk(link, message);
                break;
            default:
                link.Close(GoodbyeReason.ProtocolError);
                break;
        }

        frame.Dispose();
    }
}
