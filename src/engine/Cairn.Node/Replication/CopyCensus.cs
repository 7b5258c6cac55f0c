using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Peers;

namespace Cairn.Node.Replication;

/// <summary>Asks the nodes that can be reached which copies they hold and answer for.</summary>
/// <remarks>Cached copies do not count: they are given up without asking anybody. Thread: the engine's loop.</remarks>
internal sealed class CopyCensus(PoolView view, PeerSet peers)
{
    /// <summary>Counts the copies on other nodes, one number an address; those of a node that is leaving go with it.</summary>
    /// <param name="addresses">Which chunks.</param>
    /// <param name="holders">Told how many of them each node holds, one that is leaving, too.</param>
    public async Task<int[]> Elsewhere(IReadOnlyList<ChunkAddress> addresses, ICollection<HolderSummary> holders)
    {
        int[] copies = new int[addresses.Count];
        foreach (PeerLink link in peers.Links.ToArray())
        {
            long held = 0;
            bool isStaying = !view.IsLeaving(link.Peer);
            for (int start = 0; start < copies.Length; start += HoldingAsk.CountMax)
            {
                int from = start;
                ChunkAddress[] part = [.. addresses.Skip(from).Take(HoldingAsk.CountMax)];
                using PeerReply reply = await link.Ask(number => new HoldingAsk(number, part));
                if (reply.Message is HoldingReply answer && answer.Outcomes.Count == part.Length)
                {
                    for (int i = 0; i < part.Length; i++)
                    {
                        bool isHeld = answer.Outcomes[i] == ChunkOutcome.Held;
                        copies[from + i] += isHeld && isStaying ? 1 : 0;
                        held += isHeld ? 1 : 0;
                    }
                }
            }

            holders.Add(new HolderSummary(link.Peer, view.NameOf(link.Peer), held));
        }

        return copies;
    }
}
