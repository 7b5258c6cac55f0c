using Cairn.Core.Primitives;
using Cairn.Node.Control;

namespace Cairn.Node.Peers;

/// <summary>Notices a home that was copied and runs twice: two machines of one key, whose connections replace each other.</summary>
/// <remarks>
/// A connection gives way to a newer one of the same node when that was started again, or its network broke: now and then.
/// Two that run at once take the place from each other some times a second. What each writes reaches the others all the same,
/// so nothing else would say it. Thread: the engine's loop.
/// </remarks>
internal sealed class DoubledHomes(TimeProvider time, NodeId self)
{
    /// <summary>What <c>cairn status</c> calls it.</summary>
    public const string Code = "home-copied";

    private const int CountMin = 20;
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Lasts = TimeSpan.FromMinutes(10);

    private readonly SortedDictionary<NodeId, Seen> _seen = [];

    /// <summary>A connection with a peer gave way to a newer one.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="saidByPeer">Whether the peer said so: then it is this node that has made another.</param>
    public void Note(NodeId peer, bool saidByPeer)
    {
        if (!_seen.TryGetValue(peer, out Seen? seen))
        {
            _seen.Add(peer, seen = new Seen());
        }

        long now = time.GetTimestamp();
        Queue<long> times = saidByPeer ? seen.OfSelf : seen.OfPeer;
        times.Enqueue(now);
        while (time.GetElapsedTime(times.Peek(), now) > Within)
        {
            times.Dequeue();
        }

        if (times.Count > CountMin)
        {
            times.Dequeue();
            seen.SelfSince = saidByPeer ? now : seen.SelfSince;
            seen.PeerSince = saidByPeer ? seen.PeerSince : now;
        }
    }

    /// <summary>One problem for each node that seems to run twice, this one first.</summary>
    /// <param name="nameOf">A node's name.</param>
    public IEnumerable<NodeProblem> Problems(Func<NodeId, string> nameOf)
    {
        if (_seen.Values.Any(seen => IsNow(seen.SelfSince)))
        {
            yield return Of("This machine's home");
        }

        foreach ((NodeId peer, Seen seen) in _seen)
        {
            if (peer != self && IsNow(seen.PeerSince))
            {
                yield return Of($"The home of {nameOf(peer)}");
            }
        }
    }

    private bool IsNow(long? noted) => noted is { } at && time.GetElapsedTime(at) < Lasts;

    private static NodeProblem Of(string whose) => new(
        Code,
        $"{whose} seems to have been copied and to run twice: two machines take each other's connections.",
        "Stop one of the two, delete its home and join anew with it.");

    private sealed class Seen
    {
        public Queue<long> OfPeer { get; } = [];

        public Queue<long> OfSelf { get; } = [];

        public long? PeerSince { get; set; }

        public long? SelfSince { get; set; }
    }
}
