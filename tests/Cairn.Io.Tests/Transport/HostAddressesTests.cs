using System.Net;
using Cairn.Io.Transport;

namespace Cairn.Io.Tests.Transport;

/// <summary>What a node tells the others to connect to: this machine may have any interfaces.</summary>
public sealed class HostAddressesTests
{
    [Theory]
    [InlineData("127.0.0.1:7866")]
    [InlineData("192.0.2.1:9")]
    [InlineData("[2001:db8::1]:7866")]
    public void Who_listens_on_one_address_is_found_there(string listen) =>
        Assert.Equal([IPEndPoint.Parse(listen)], HostAddresses.Of(IPEndPoint.Parse(listen)));

    /// <summary>"0.0.0.0" means the asking machine itself to whoever is told it.</summary>
    [Theory]
    [InlineData("0.0.0.0:7866")]
    [InlineData("[::]:7866")]
    public void Who_listens_on_all_addresses_is_found_at_those_of_the_interfaces(string listen)
    {
        IReadOnlyList<IPEndPoint> found = HostAddresses.Of(IPEndPoint.Parse(listen));
        Assert.NotEmpty(found);
        Assert.All(found, endpoint =>
        {
            Assert.Equal(7866, endpoint.Port);
            Assert.NotEqual(IPAddress.Any, endpoint.Address);
            Assert.NotEqual(IPAddress.IPv6Any, endpoint.Address);
            Assert.False(endpoint.Address.IsIPv6LinkLocal);
        });
        Assert.True(found.Count == 1 || !found.Any(endpoint => IPAddress.IsLoopback(endpoint.Address)));
    }
}
