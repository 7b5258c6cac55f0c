using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Cairn.Core.Membership;

/// <summary>Where a node listens: a numeric address or a host name, and the port for TLS and datagrams.</summary>
/// <param name="Host">An IPv4 or IPv6 address without brackets, or a host name of at most <see cref="HostBytesMax"/>
/// bytes.</param>
/// <param name="Port">1 to 65,535.</param>
public readonly record struct NodeAddress(string Host, ushort Port) : IComparable<NodeAddress>
{
    /// <summary>The longest host name, in bytes (RFC 1035, section 2.3.4).</summary>
    public const int HostBytesMax = 255;

    /// <summary>The address of an endpoint.</summary>
    public static NodeAddress From(IPEndPoint endpoint) =>
        new(endpoint.Address.IsIPv4MappedToIPv6
            ? endpoint.Address.MapToIPv4().ToString()
            : endpoint.Address.ToString(), (ushort)endpoint.Port);

    /// <summary>The endpoint, when <see cref="Host"/> is numeric and needs no resolver.</summary>
    public bool TryGetEndPoint([NotNullWhen(true)] out IPEndPoint? endpoint)
    {
        endpoint = IPAddress.TryParse(Host, out IPAddress? address) ? new IPEndPoint(address, Port) : null;
        return endpoint is not null;
    }

    /// <summary>Parses <c>host:port</c>, <c>1.2.3.4:port</c> or <c>[v6]:port</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out NodeAddress address)
    {
        address = default;
        int colon = text?.LastIndexOf(':') ?? -1;
        if (text is null || colon <= 0
            || !ushort.TryParse(
                text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            || port == 0)
        {
            return false;
        }

        string host = text[..colon];
        bool bracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
        host = bracketed ? host[1..^1] : host;
        if (!IsHost(host) || bracketed != host.Contains(':', StringComparison.Ordinal))
        {
            return false;
        }

        address = new NodeAddress(host, port);
        return true;
    }

    /// <summary>
    /// Whether text may stand as a host: printable ASCII without spaces, slashes or brackets, not too long.
    /// </summary>
    public static bool IsHost(string text) =>
        text.Length is > 0 and <= HostBytesMax
        && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0
        && text.AsSpan().IndexOfAny("/[]@") < 0
        && (!text.Contains(':', StringComparison.Ordinal) || IPAddress.TryParse(text, out _));

    /// <inheritdoc/>
    public int CompareTo(NodeAddress other)
    {
        int order = string.CompareOrdinal(Host, other.Host);
        return order != 0 ? order : Port.CompareTo(other.Port);
    }

    /// <summary>The form that <see cref="TryParse"/> reads.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    /// <summary>Before.</summary>
    public static bool operator <(NodeAddress left, NodeAddress right) => left.CompareTo(right) < 0;

    /// <summary>After.</summary>
    public static bool operator >(NodeAddress left, NodeAddress right) => left.CompareTo(right) > 0;

    /// <summary>Before or equal.</summary>
    public static bool operator <=(NodeAddress left, NodeAddress right) => left.CompareTo(right) <= 0;

    /// <summary>After or equal.</summary>
    public static bool operator >=(NodeAddress left, NodeAddress right) => left.CompareTo(right) >= 0;
}
