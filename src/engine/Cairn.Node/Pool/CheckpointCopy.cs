using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Peers;
using Cairn.Node.Ports;

namespace Cairn.Node.Pool;

/// <summary>Fills a newcomer's index, or a slot, with a checkpoint, a page from each of those who made it, one after the other.</summary>
/// <remarks>
/// The records are the same everywhere, so whoever is there gives the next page, and a transfer that was broken off goes on
/// behind the last record that is here, also after a crash. Thread: the engine's loop.
/// </remarks>
internal sealed class CheckpointCopy(NodePorts ports, PeerSet peers, VolumeTransfers transfers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>Takes what is not here yet.</summary>
    /// <param name="volume">Of which volume.</param>
    /// <param name="standing">The checkpoint.</param>
    /// <param name="fill">Where it goes.</param>
    /// <returns>Whether it is whole; if not, nobody gives the rest, or it is not what all had made.</returns>
    public async Task<bool> Run(VolumeId volume, StandingCheckpoint standing, ICheckpointFill fill)
    {
        Bytes32 hash = standing.Checkpoint.Hash;
        bool isReady = (await ports.Workers.Run(WorkPriority.Background, () => fill.Begin(hash))).IsOk;
        SortedSet<NodeId> useless = [];
        long heard = ports.Time.GetTimestamp();
        for (int turn = 0; isReady && !transfers.IsStopped; turn++)
        {
            PeerLink[] givers = [.. peers.Links.Where(link =>
                !link.IsClosed && link.Version >= ProtocolVersion.Checkpoints
                && standing.Members.Contains(link.Peer) && !useless.Contains(link.Peer))];
            if (givers.Length == 0)
            {
                if (ports.Time.GetElapsedTime(heard) > Patience || standing.Members.All(useless.Contains))
                {
                    return false;
                }

                await Task.Delay(LookAgain, ports.Time);
                continue;
            }

            PeerLink giver = givers[turn % givers.Length];
            using PeerReply answer = await giver.Ask(number => new CheckpointAsk(number, volume, hash, fill.Last));
            if (answer.Message is TableReply { View: not 0 } page && (page.Records.Count > 0 || page.IsEnd)
                && (await ports.Workers.Run(WorkPriority.Background, () => fill.Add(page.Records))).IsOk)
            {
                heard = ports.Time.GetTimestamp();
                if (page.IsEnd)
                {
                    return (await ports.Workers.Run(
                        WorkPriority.Background, () => fill.Finish(standing.Members))).IsOk;
                }
            }
            else if (answer.Message is not null)
            {
                useless.Add(giver.Peer);
            }
        }

        return false;
    }
}
