using System.Net;

namespace Cairn.Cli.Daemon;

/// <summary>Where a node listens, as people write it: an address, and a port unless it is the usual one.</summary>
internal static class ListenAddress
{
    /// <summary>What a node listens on that was not told otherwise.</summary>
    public const int PortDefault = 7866;

    private const int DotsOfAnAddress = 3;

    /// <summary>Reads "0.0.0.0:7866", "192.168.1.20", "[::]:7866" or "::1".</summary>
    /// <remarks>The system reads more: "7866" as the address 0.0.30.186, and port 0, any free one, where none is given.</remarks>
    /// <exception cref="CommandException">It is none of these.</exception>
    public static IPEndPoint Parse(string text)
    {
        int colons = text.Count(one => one == ':');
        bool isWhole = colons >= 2 || text.Count(one => one == '.') == DotsOfAnAddress;
        if (!isWhole || !IPEndPoint.TryParse(text, out IPEndPoint? address))
        {
            throw new CommandException($"'{text}' is not an address and port, such as 0.0.0.0:{PortDefault}");
        }

        bool saysPort = colons == 1 || text.Contains("]:", StringComparison.Ordinal);
        return saysPort ? address : new IPEndPoint(address.Address, PortDefault);
    }
}
