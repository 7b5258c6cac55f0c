namespace Cairn.Simulation.Network;

/// <summary>How bad the network is. What the pool must survive: all of it, at any value.</summary>
public sealed record NetworkFaults
{
    /// <summary>A calm local network.</summary>
    public static NetworkFaults None { get; } = new();

    /// <summary>The shortest delay one way. Default 0.1 ms.</summary>
    public TimeSpan DelayMin { get; init; } = TimeSpan.FromMicroseconds(100);

    /// <summary>The longest delay one way; datagrams overtake each other within it. Default 0.5 ms.</summary>
    public TimeSpan DelayMax { get; init; } = TimeSpan.FromMicroseconds(500);

    /// <summary>Of 1,000 datagrams, how many are lost; stream frames are delayed by a retransmission instead. Default 0.</summary>
    public int LossPerMille { get; init; }

    /// <summary>Of 1,000 datagrams, how many arrive twice. Default 0.</summary>
    public int DuplicatePerMille { get; init; }

    /// <summary>Bytes per second each direction of a pair carries. Default 1 GB/s.</summary>
    public long BytesPerSecond { get; init; } = 1_000_000_000;

    /// <summary>How long a stream survives a cut before both ends see it closed. Default 20 s.</summary>
    public TimeSpan StallMax { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a connection attempt into a cut takes to fail. Default 5 s.</summary>
    public TimeSpan ConnectMax { get; init; } = TimeSpan.FromSeconds(5);
}
