using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Peers;

/// <content>Logs of removed volumes that are closed for a while: docs/decisions/garbage.md.</content>
internal sealed partial class LogSync
{
    /// <summary>What was said last of each.</summary>
    private readonly SortedDictionary<VolumeId, LogPositions> _resting = [];

    /// <summary>A peer said of a log that rests what is not its word, or sent blocks of it.</summary>
    public event Action<VolumeId>? Roused;

    /// <summary>Whether nothing goes on in a log: connected members hold the same of it, and none of it is here alone.</summary>
    public bool IsAtRest(VolumeId volume)
    {
        if (!_logs.TryGetValue(volume, out ISharedLog? log) || log.AwaitsWord)
        {
            return false;
        }

        LogPositions word = log.Word;
        return word.Covers(log.Positions) && log.Positions.BlocksBeyond(Elsewhere(volume)) == 0
            && _set.Links.Where(link => _view.CanRead(volume, link.Peer))
                .All(link => ConfirmedBy(link.Peer, volume).Equals(word));
    }

    /// <summary>Stops sharing a log that is closed for a while: who asks hears its last word.</summary>
    public void Rest(VolumeId volume)
    {
        _resting[volume] = _logs[volume].Word;
        Remove(volume);
    }

    /// <summary>A log that rests answers who holds the same, so that nobody waits for its word; for others it is opened.</summary>
    private void AnswerResting(PeerLink link, VolumeId volume, LogPeer state)
    {
        if (!_resting.TryGetValue(volume, out LogPositions? word))
        {
            return;
        }

        if (!state.Confirmed.Equals(word))
        {
            Roused?.Invoke(volume);
        }
        else if (!word.Equals(state.Told))
        {
            state.Told = word;
            link.SendEncoded(Encode(volume, word));
        }
    }
}
