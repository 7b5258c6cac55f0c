using System.Net;
using System.Net.Sockets;

namespace Cairn.Io.Transport;

/// <summary>How many handshakes each source has under way: one machine of a stranger must not take all there may be.</summary>
/// <remarks>Before its handshake nothing tells a member from a stranger but where it comes from. Thread: any.</remarks>
/// <param name="perSource">So many at once from one source.</param>
internal sealed class HandshakeSeats(int perSource)
{
    private const int NetworkBytes = 8;

    private readonly Dictionary<IPAddress, int> _taken = [];

    /// <summary>Takes a seat of this source, unless it has all it may have.</summary>
    public bool TryTake(IPAddress address)
    {
        IPAddress source = SourceOf(address);
        lock (_taken)
        {
            int taken = _taken.GetValueOrDefault(source);
            if (taken < perSource)
            {
                _taken[source] = taken + 1;
            }

            return taken < perSource;
        }
    }

    /// <summary>Gives the seat back.</summary>
    public void Return(IPAddress address)
    {
        IPAddress source = SourceOf(address);
        lock (_taken)
        {
            if (--_taken[source] == 0)
            {
                _taken.Remove(source);
            }
        }
    }

    // A machine with IPv6 has a /64 and as many addresses in it as it wants (RFC 8981).
    private static IPAddress SourceOf(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        Array.Clear(bytes, NetworkBytes, bytes.Length - NetworkBytes);
        return new IPAddress(bytes);
    }
}
