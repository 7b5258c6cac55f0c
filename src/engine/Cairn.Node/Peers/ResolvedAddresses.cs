using System.Net;
using System.Runtime.CompilerServices;
using Cairn.Core.Membership;
using Cairn.Node.Ports;

namespace Cairn.Node.Peers;

/// <summary>Where to connect, from what people and records say.</summary>
internal static class ResolvedAddresses
{
    /// <summary>Each endpoint once, in the order of the addresses; a name is asked for when its turn comes.</summary>
    public static async IAsyncEnumerable<IPEndPoint> Of(
        ITransport transport,
        IEnumerable<NodeAddress> addresses,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        List<IPEndPoint> seen = [];
        foreach (NodeAddress address in addresses)
        {
            foreach (IPEndPoint endpoint in await transport.Resolve(address, cancellation))
            {
                if (!seen.Contains(endpoint))
                {
                    seen.Add(endpoint);
                    yield return endpoint;
                }
            }
        }
    }
}
