using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Cairn.Io.Transport;

/// <summary>The addresses of this machine's network interfaces, as they are at the moment.</summary>
internal static class HostAddresses
{
    /// <summary>Every IPv4 address, of one kind of interface.</summary>
    public static IEnumerable<IPAddress> IPv4(bool loopbackOnly) =>
        Interfaces()
            .Where(network => !loopbackOnly || IsLoopback(network))
            .SelectMany(AddressesOf)
            .Where(address => address.AddressFamily == AddressFamily.InterNetwork);

    /// <summary>Where others may find what listens here, the likeliest first.</summary>
    /// <remarks>
    /// Who listens on one address is found there. Who listens on all of them may be found at each; an interface with a
    /// gateway leads to more machines than the bridge of a container. A machine without a network is alone with itself.
    /// </remarks>
    public static IReadOnlyList<IPEndPoint> Of(IPEndPoint listen)
    {
        bool isIPv6 = listen.Address.Equals(IPAddress.IPv6Any);
        if (!isIPv6 && !listen.Address.Equals(IPAddress.Any))
        {
            return [listen];
        }

        IPAddress[] found =
        [
            .. Interfaces()
                .Where(network => !IsLoopback(network) && network.OperationalStatus != OperationalStatus.Down)
                .OrderByDescending(network => network.GetIPProperties().GatewayAddresses.Count > 0)
                .SelectMany(AddressesOf)
                .Where(address => IsFound(address, isIPv6)),
        ];
        return [.. found.DefaultIfEmpty(IPAddress.Loopback).Select(address => new IPEndPoint(address, listen.Port))];
    }

    private static NetworkInterface[] Interfaces()
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces();
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }

    private static bool IsLoopback(NetworkInterface network) =>
        network.NetworkInterfaceType == NetworkInterfaceType.Loopback;

    private static IEnumerable<IPAddress> AddressesOf(NetworkInterface network) =>
        network.GetIPProperties().UnicastAddresses.Select(unicast => unicast.Address);

    /// <summary>Whether it means the same machine to others: an address of one link (169.254/16, fe80::/10) does not.</summary>
    private static bool IsFound(IPAddress address, bool isIPv6) => address.AddressFamily == AddressFamily.InterNetwork
        ? address.GetAddressBytes() is not [169, 254, ..]
        : isIPv6 && !address.IsIPv6LinkLocal;
}
