using System.Net;

namespace Cairn.Io.Transport;

/// <summary>Addresses as the engine knows them.</summary>
internal static class Endpoints
{
    /// <summary>IPv4 written as itself, also when a dual-mode socket saw it as IPv6.</summary>
    internal static IPEndPoint Plain(IPEndPoint address) =>
        address.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(address.Address.MapToIPv4(), address.Port) : address;
}
