namespace Cairn.Simulation.Campaigns;

/// <summary>Gives back what dead processes had in memory.</summary>
/// <remarks>
/// It is old, and on a machine with room the collector leaves as much of it as what lives. A collection of everything changes no
/// trace; it costs a second a gigabyte that lives, so it comes when memory has grown by a part of what lived after the last one.
/// Thread: any; all runs of the program share its memory.
/// </remarks>
internal static class DeadProcesses
{
    private const long GrowthMin = 256L << 20;

    private static long _collectAt = 2 * GrowthMin;

    /// <summary>Collects everything if memory has grown by a third since the last time.</summary>
    public static void CollectIfMany()
    {
        long now = GC.GetTotalMemory(forceFullCollection: false);
        long at = Interlocked.Read(ref _collectAt);
        if (now < at || Interlocked.CompareExchange(ref _collectAt, long.MaxValue, at) != at)
        {
            return;
        }

        GC.Collect();
        long lives = GC.GetTotalMemory(forceFullCollection: false);
        Interlocked.Exchange(ref _collectAt, lives + Math.Max(GrowthMin, lives / 3));
    }
}
