namespace Cairn.Core.Tree.Past;

/// <summary>From when on what one member takes away is held for review. docs/decisions/brake.md says why so.</summary>
public sealed record BrakeLimits
{
    /// <summary>The part of a volume that is a large one: one over so much. Default a quarter.</summary>
    public long Share { get; init; } = 4;

    /// <summary>Fewer objects than that are never a large part, whatever their bytes. Default 100.</summary>
    public long ObjectsMin { get; init; } = 100;

    /// <summary>A volume with fewer objects, and fewer bytes than <see cref="VolumeBytesMin"/>, is never braked. Default 1,000.</summary>
    public long VolumeObjectsMin { get; init; } = 1000;

    /// <summary>A volume with fewer bytes, and fewer objects than <see cref="VolumeObjectsMin"/>, is never braked. Default 1 GiB.</summary>
    public long VolumeBytesMin { get; init; } = 1L << 30;

    /// <summary>
    /// A member's last so many transactions are one stretch, in a larger volume up to twice as many as it has objects.
    /// Default 1,000.
    /// </summary>
    public ulong Transactions { get; init; } = 1000;

    /// <summary>What a member made itself and takes away within so long counts nothing, both by its own clock. Default 1 h.</summary>
    public TimeSpan OwnWork { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What is taken away with no longer a pause between began together, by the member's clock. Default 5 min.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether a volume is large enough to be braked.</summary>
    public bool Concern(long objects, long bytes) => objects >= VolumeObjectsMin || bytes >= VolumeBytesMin;
}
