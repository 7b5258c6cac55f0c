namespace Cairn.Core.Membership.Swim;

/// <summary>How fast failures are found, against how many datagrams are spent on it.</summary>
/// <remarks>
/// Time tunes how soon, never what. The defaults find a killed node of a small pool in about six seconds.
/// </remarks>
public sealed record SwimOptions
{
    /// <summary>The defaults.</summary>
    public static SwimOptions Default { get; } = new();

    /// <summary>
    /// One member is probed per this many milliseconds, more slowly when this node itself is unwell. Default 1,000.
    /// </summary>
    public long ProbeIntervalMs { get; init; } = 1000;

    /// <summary>A direct probe waits this many milliseconds before others are asked to probe. Default 300.</summary>
    public long ProbeTimeoutMs { get; init; } = 300;

    /// <summary>How many others are asked. Default 3.</summary>
    public int IndirectProbes { get; init; } = 3;

    /// <summary>News is passed on once per this many milliseconds while there is any. Default 200.</summary>
    public long GossipIntervalMs { get; init; } = 200;

    /// <summary>To how many members at a time. Default 3.</summary>
    public int GossipFanout { get; init; } = 3;

    /// <summary>
    /// One dead member is tried per this many milliseconds, so that a healed partition is noticed. Default 3,000.
    /// </summary>
    public long DeadProbeIntervalMs { get; init; } = 3000;

    /// <summary>
    /// A suspect that does not refute is dead after this many probe intervals times the decimal logarithm of the pool's
    /// size (at least 1). Default 4.
    /// </summary>
    public int SuspicionIntervals { get; init; } = 4;

    /// <summary>A suspicion that nobody else confirms waits this many times longer. Default 4.</summary>
    public int SuspicionMaxFactor { get; init; } = 4;

    /// <summary>News is sent this many times the decimal logarithm of the pool's size. Default 4.</summary>
    public int RetransmitFactor { get; init; } = 4;

    /// <summary>
    /// The local health score's upper end; every point stretches intervals and timeouts once. Default 8.
    /// </summary>
    public int HealthMax { get; init; } = 8;

    /// <summary>Largest message in bytes: a 1,200-byte datagram less its seal. Default 1,100.</summary>
    public int MessageBytesMax { get; init; } = 1100;

    /// <summary>Everything that is wrong with these options; empty when they may be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> problems = [];
        void Check(bool fine, string problem)
        {
            if (!fine)
            {
                problems.Add(problem);
            }
        }

        Check(ProbeTimeoutMs > 0 && ProbeTimeoutMs < ProbeIntervalMs,
            "ProbeTimeoutMs is not between 0 and ProbeIntervalMs");
        Check(IndirectProbes >= 0, "IndirectProbes is negative");
        Check(GossipIntervalMs > 0 && GossipFanout > 0, "GossipIntervalMs or GossipFanout is not positive");
        Check(DeadProbeIntervalMs > 0, "DeadProbeIntervalMs is not positive");
        Check(SuspicionIntervals > 0 && SuspicionMaxFactor > 0, "a suspicion factor is not positive");
        Check(RetransmitFactor > 0, "RetransmitFactor is not positive");
        Check(HealthMax >= 0, "HealthMax is negative");
        Check(MessageBytesMax is >= 256 and <= 1200, "MessageBytesMax is not from 256 to 1,200");
        return problems;
    }
}
