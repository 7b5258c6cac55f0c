namespace Cairn.Cli.Daemon;

/// <summary>What <see cref="GrowthWatch"/> says is due.</summary>
internal enum DueCollection
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>One that runs beside the program, and leaves holes between what stays.</summary>
    Beside,

    /// <summary>One that stops the program meanwhile, and moves together what stays.</summary>
    Compacting,
}

/// <summary>Decides when so much was allocated since all generations were collected that it is time to collect them again.</summary>
/// <remarks>
/// The collector weighs memory against time as on a machine that has nothing else to do: where 100 MiB live while much comes and goes, it
/// lets as much again lie about. Thread: one.
/// </remarks>
internal sealed class GrowthWatch
{
    /// <summary>So much garbage is worth a collection.</summary>
    public const long GrowthBytesMin = 24 << 20;

    /// <summary>So much in holes that a collection left is worth a pause.</summary>
    public const long HoleBytesMin = 24 << 20;

    /// <summary>Or a part of what was left by the last one, if that is more: marking takes as long as there is much.</summary>
    private const int GrowthPart = 4;

    private long _asked = -1;

    /// <summary>Takes a look, after any collection.</summary>
    /// <param name="last">The number of the last collection of all generations.</param>
    /// <param name="usedThen">What it left.</param>
    /// <param name="holesThen">What it left free between what can be moved.</param>
    /// <param name="usedNow">What is used now, or waits to be found to be garbage.</param>
    /// <returns>What is due. It is said once until it was done.</returns>
    public DueCollection Look(long last, long usedThen, long holesThen, long usedNow)
    {
        if (_asked == last || usedNow - usedThen < Math.Max(GrowthBytesMin, usedThen / GrowthPart))
        {
            return DueCollection.None;
        }

        _asked = last;
        return holesThen >= HoleBytesMin ? DueCollection.Compacting : DueCollection.Beside;
    }
}
