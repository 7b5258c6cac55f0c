using Cairn.Core.Rules;
using Cairn.Core.Tree.Past;

namespace Cairn.Node.Garbage;

/// <summary>How garbage is collected.</summary>
public sealed record GarbageOptions
{
    /// <summary>How long after a change garbage is looked for. Default 5 s.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often waiting condemnations are looked at. Default 15 s.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often the past is looked through for what its rule no longer keeps. Default 1 h.</summary>
    public TimeSpan KeepInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What of the past stays where no rule says anything. Default: that of <see cref="Rule.Default"/>.</summary>
    public Retention Keep { get; init; } = Rule.Default.Keep!.Value;

    /// <summary>What is held for review. Default: that of <see cref="BrakeLimits"/>.</summary>
    public BrakeLimits Brake { get; init; } = new();

    /// <summary>In a volume that can be braked, how long a removal is known before it is condemned. Default 5 min.</summary>
    public TimeSpan BrakeDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether the chunks are those of a volume that never leaves its node. Default false.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Whether the volume was removed: all of it is garbage, and nobody needs any of it. Default false.</summary>
    public bool IsRemoved { get; init; }

    /// <summary>At most so many objects in one condemnation; a version counts as two. Default 16,384.</summary>
    public int ItemsMax { get; init; } = 16_384;

    /// <summary>At most so many addresses in one condemnation: what fits a transaction. Default 16,384.</summary>
    public int AddressesMax { get; init; } = 16_384;

    /// <summary>
    /// From so many addresses on a condemnation is large: each step of it is made at once, for more is to come. Default 1,024.
    /// </summary>
    public int LargeFrom { get; init; } = 1024;

    /// <summary>How long after a step of a large condemnation the next is made. Default 250 ms.</summary>
    public TimeSpan LargeDelay { get; init; } = TimeSpan.FromMilliseconds(250);
}
