using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Peers;

/// <summary>What one connected peer holds of one volume's logs, and which blocks are on their way to it.</summary>
/// <remarks>
/// A window bounds what is on its way: a peer that takes blocks in more slowly than they are sent (every one is checked,
/// stored and folded) would otherwise have a whole history in its memory, and this node in its send queue. A block leaves
/// the window when the peer says that it holds it. Thread: the engine's loop.
/// </remarks>
/// <param name="link">The connection. A new connection begins with a new one of these.</param>
/// <param name="time">The node's clock.</param>
internal sealed class LogPeer(PeerLink link, TimeProvider time)
{
    private const long WindowBytes = 8 << 20;
    private static readonly TimeSpan ResendAfter = TimeSpan.FromSeconds(3);

    private readonly List<(LogId Log, ulong Seq, int Bytes)> _onTheWay = [];
    private long _onTheWayBytes;
    private long _windowBytes = WindowBytes;
    private long _lastProgress;

    /// <summary>The connection.</summary>
    public PeerLink Link { get; } = link;

    /// <summary>What the peer said it holds.</summary>
    public LogPositions Confirmed { get; private set; } = LogPositions.Empty;

    /// <summary>What it holds if nothing that was sent got lost.</summary>
    public LogPositions Sent { get; private set; } = LogPositions.Empty;

    /// <summary>What it was last told of what is held here; null before the first word.</summary>
    public LogPositions? Told { get; set; }

    /// <summary>Whether it has said what it holds since it is connected.</summary>
    public bool HasSpoken { get; private set; }

    /// <summary>Whether it has said what it holds since the log is shared here.</summary>
    public bool IsGreeted { get; set; }

    /// <summary>When it was last told what is held here because it holds more.</summary>
    public long LastAsked { get; set; }

    /// <summary>When it was last told where logs begin of which it lacks blocks that were dropped here; null: never.</summary>
    public long? LastTold { get; set; }

    /// <summary>Where logs begin with it of which this node lacks blocks, and cannot do without.</summary>
    public LogBeginnings OutOfReach { get; set; } = LogBeginnings.None;

    /// <summary>Whether the window has room for more blocks.</summary>
    public bool HasRoom => _onTheWayBytes < _windowBytes;

    /// <summary>The peer says what it holds.</summary>
    /// <remarks>
    /// Once nothing has been sent and nothing has arrived for a while, what it still lacks of what was sent is sent again.
    /// The window is larger then: a log that the peer refuses must not hold up the others for ever.
    /// </remarks>
    public void Says(LogPositions theirs)
    {
        // The same object as long as it says the same: whoever asks what follows from it sees that nothing is new.
        theirs = theirs.Equals(Confirmed) ? Confirmed : theirs;
        (Confirmed, HasSpoken) = (theirs, true);
        bool hasArrived = _onTheWay.RemoveAll(block => theirs[block.Log].BlockSeq >= block.Seq) > 0;
        if (!hasArrived && time.GetElapsedTime(_lastProgress) > ResendAfter)
        {
            _windowBytes = _onTheWay.Count > 0 ? _windowBytes * 2 : WindowBytes;
            _onTheWay.Clear();
            Sent = theirs;
        }
        else
        {
            _lastProgress = hasArrived ? time.GetTimestamp() : _lastProgress;
            Sent = Sent.Join(theirs);
        }

        _onTheWayBytes = _onTheWay.Sum(static block => (long)block.Bytes);
    }

    /// <summary>Blocks go out to it.</summary>
    public void Sends(IReadOnlyList<SharedBlock> blocks)
    {
        foreach (SharedBlock block in blocks)
        {
            Sent = Sent.With(block.Log, block.Position);
            _onTheWay.Add((block.Log, block.Position.BlockSeq, block.Bytes.Length));
            _onTheWayBytes += block.Bytes.Length;
        }

        _lastProgress = time.GetTimestamp();
    }
}
