using System.Text;
using Cairn.Core.Membership;
using Cairn.Storage.Home;

namespace Cairn.Node;

/// <summary>How a node behaves. Correctness never depends on these: they tune how soon things happen.</summary>
public sealed record NodeOptions
{
    /// <summary>The node's name, for people; at most <see cref="NodeRecord.TextBytesMax"/> bytes. Default "node".</summary>
    public string Name { get; init; } = "node";

    /// <summary>Bytes given to the pool. Default 10 GiB. `space set` overrides it durably.</summary>
    public long SpaceBytes { get; init; } = 10L << 30;

    /// <summary>The failure zone (a room, a house); copies are spread over zones. Default none.</summary>
    public string Zone { get; init; } = string.Empty;

    /// <summary>Tags that rules may ask for. Default none.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Addresses tried besides those the pool map knows. Default none.</summary>
    public IReadOnlyList<NodeAddress> StaticPeers { get; init; } = [];

    /// <summary>Addresses told to others in place of those of the interfaces (behind a router). Default none.</summary>
    public IReadOnlyList<NodeAddress> AnnouncedAddresses { get; init; } = [];

    /// <summary>Whether to announce by multicast. Default true.</summary>
    public bool Announce { get; init; } = true;

    /// <summary>How long a node may be away before its copies are remade. Default 15 minutes.</summary>
    public TimeSpan RepairGrace { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a member may be away before it is forgotten, until it is back. Default 90 days.</summary>
    public TimeSpan Horizon { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How often an admin's node looks whether the marks of limited folders are to be renewed. Default 1 hour.</summary>
    public TimeSpan MarkInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// From how many transactions on a newcomer begins a volume with a checkpoint or another's table, and the least from one
    /// checkpoint to the next. Default 50,000: 4 s of folding. The same on all nodes of a pool.
    /// </summary>
    public long TableFrom { get; init; } = 50_000;

    /// <summary>Whether blocks are dropped that every fold begins behind. Default true.</summary>
    public bool DropsBlocks { get; init; } = true;

    /// <summary>Of a log from which less than so much would be dropped nothing is. Default 64 KiB.</summary>
    public long DropBytesMin { get; init; } = 64 << 10;

    /// <summary>How often is looked after what is due now and then: marks, checkpoints, who is away. Default 5 s.</summary>
    public TimeSpan HousekeepingInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often holdings are compared with peers when nothing changes. Default 60 s.</summary>
    public TimeSpan RepairInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The SWIM protocol period. Default 1 s.</summary>
    public TimeSpan GossipPeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After how long without an answer a holder is passed over while reading. Default 500 ms.</summary>
    public TimeSpan ReadPassOver { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long a read of what is not held here waits for a node that has it. Default 0: it fails at once when none can be
    /// reached.
    /// </summary>
    public TimeSpan ReadWait { get; init; } = TimeSpan.Zero;

    /// <summary>How long a request to a peer may take before its connection is given up. Default 30 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait between two attempts to connect to a member. Default 30 s; the first is 200 ms.</summary>
    public TimeSpan ReconnectMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How much of the store is read in a second to find rot. Default 2 MiB; 0 finds none.</summary>
    public long ScrubBytesPerSecond { get; init; } = 2 << 20;

    /// <summary>How long to rest after everything was read. Default a day.</summary>
    public TimeSpan ScrubRest { get; init; } = TimeSpan.FromDays(1);

    /// <summary>All problems at once; empty when the options can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> problems = [];
        const int most = NodeRecord.TextBytesMax;
        Require(problems, Name.Length > 0 && FitsRecord(Name), $"The name must have 1 to {most} bytes");
        Require(problems, FitsRecord(Zone), $"The zone must have at most {most} bytes");
        Require(problems, SpaceBytes >= SpacePlan.SpaceBytesMin, "The space given must be at least 80 MiB");
        Require(problems, RepairGrace >= TimeSpan.Zero, "RepairGrace must not be negative");
        Require(problems, TableFrom > 0, "TableFrom must be positive");
        Require(problems, Horizon > TimeSpan.Zero, "Horizon must be positive");
        Require(problems, MarkInterval > TimeSpan.Zero, "MarkInterval must be positive");
        Require(problems, HousekeepingInterval > TimeSpan.Zero, "HousekeepingInterval must be positive");
        Require(problems, RepairInterval > TimeSpan.Zero, "RepairInterval must be positive");
        Require(problems, GossipPeriod > TimeSpan.Zero, "GossipPeriod must be positive");
        Require(problems, ReadPassOver > TimeSpan.Zero, "ReadPassOver must be positive");
        Require(problems, ReadWait >= TimeSpan.Zero, "ReadWait must not be negative");
        Require(problems, RequestTimeout > TimeSpan.Zero, "RequestTimeout must be positive");
        Require(problems, ReconnectMax > TimeSpan.Zero, "ReconnectMax must be positive");
        Require(problems, ScrubBytesPerSecond >= 0, "ScrubBytesPerSecond must not be negative");
        Require(problems, ScrubRest >= TimeSpan.Zero, "ScrubRest must not be negative");
        return problems;
    }

    /// <summary>Whether the others accept a record that says this.</summary>
    private static bool FitsRecord(string text) => Encoding.UTF8.GetByteCount(text) <= NodeRecord.TextBytesMax;

    private static void Require(List<string> problems, bool holds, string problem)
    {
        if (!holds)
        {
            problems.Add(problem);
        }
    }
}
