using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Peers;

/// <content>How many blocks are still to go out, and to come.</content>
internal sealed partial class LogSync
{
    /// <summary>How many blocks connected peers that can open the volumes have not confirmed.</summary>
    public long Unconfirmed()
    {
        long blocks = 0;
        foreach (ISharedLog log in _logs.Values)
        {
            foreach (PeerLink link in _set.Links.Where(link => _view.CanRead(log.Volume, link.Peer)))
            {
                blocks += log.Positions.BlocksBeyond(StateOf(link, log.Volume).Confirmed);
            }
        }

        return blocks;
    }

    /// <summary>How many blocks that connected peers said they hold are not here and can come, each counted once.</summary>
    /// <remarks>Nothing is joined, or made, while no peer holds more: so it is nearly always, and it is asked often.</remarks>
    public long Missing()
    {
        long blocks = 0;
        foreach (ISharedLog log in _logs.Values)
        {
            LogPositions here = log.Positions;
            LogPositions? beyond = null;
            foreach (PeerLink link in _set.Links)
            {
                LogPositions theirs = ConfirmedBy(link.Peer, log.Volume);
                if (theirs.BlocksBeyond(here) > 0 && _view.CanRead(log.Volume, link.Peer))
                {
                    beyond = beyond?.Join(theirs) ?? theirs;
                }
            }

            blocks += beyond is null ? 0 : beyond.BlocksBeyond(here) - OutOfReach(log.Volume, beyond, here);
        }

        return blocks;
    }

    /// <summary>How many of those belong to logs that cannot go on here, because nobody has the blocks before them any more.</summary>
    private long OutOfReach(VolumeId volume, LogPositions beyond, LogPositions here) =>
        OutOfReach(volume).Logs.Sum(log => Math.Max(0L, (long)(beyond[log.Key].BlockSeq - here[log.Key].BlockSeq)));

    /// <summary>Whether a connected peer said that it has all that is here of the pool's log, and nothing beyond it.</summary>
    private bool IsLevel(NodeId peer)
    {
        VolumeId pool = new(_view.Pool.Value);
        return _logs.TryGetValue(pool, out ISharedLog? log)
            && _peers.TryGetValue((peer, pool), out LogPeer? state) && state.HasSpoken
            && state.Confirmed.Covers(log.Positions) && log.Positions.Covers(state.Confirmed);
    }
}
