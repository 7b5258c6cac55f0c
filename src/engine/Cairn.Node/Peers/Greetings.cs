using System.Net;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node.Peers;

/// <summary>How many may be at their hello at once: whoever can reach the port can connect and say nothing.</summary>
/// <remarks>
/// Members are counted each for itself, so that strangers keep none of them out; strangers together, and by address, so that
/// one machine does not keep newcomers out. Who is turned away tries again. Thread: the engine's loop.
/// </remarks>
/// <param name="isMember">Whether a node is one that may connect.</param>
internal sealed class Greetings(Func<NodeId, bool> isMember)
{
    private const int StrangersMax = 16;
    private const int PerAddressMax = 4;
    private const int PerMemberMax = 4;

    private readonly Dictionary<IConnection, bool> _underWay = [];

    /// <summary>Whether there is room for one more; it is counted then.</summary>
    public bool TryBegin(IConnection connection)
    {
        bool isStranger = !isMember(connection.Peer.Node);
        bool hasRoom = isStranger
            ? _underWay.Values.Count(static other => other) < StrangersMax && FromAddressOf(connection) < PerAddressMax
            : _underWay.Count(other => !other.Value && other.Key.Peer.Node == connection.Peer.Node) < PerMemberMax;
        if (hasRoom)
        {
            _underWay.Add(connection, isStranger);
        }

        return hasRoom;
    }

    /// <summary>It has said its hello, or did not.</summary>
    public void End(IConnection connection) => _underWay.Remove(connection);

    private int FromAddressOf(IConnection connection)
    {
        IPAddress address = connection.RemoteAddress.Address;
        return _underWay.Count(other => other.Value && other.Key.RemoteAddress.Address.Equals(address));
    }
}
