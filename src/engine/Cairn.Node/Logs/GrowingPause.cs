namespace Cairn.Node.Logs;

/// <summary>How long to leave something that failed before it is tried again: longer each time it fails in a row.</summary>
/// <remarks>For what is costly to try, and fails for a reason that may last: a full disk, a block that nobody has who is here.</remarks>
/// <param name="time">The clock.</param>
/// <param name="first">How long after it failed once.</param>
/// <param name="longest">It grows no longer than this.</param>
internal sealed class GrowingPause(TimeProvider time, TimeSpan first, TimeSpan longest)
{
    private TimeSpan _pause;
    private long _failed;

    /// <summary>How often it failed since it was last done.</summary>
    public int Failures { get; private set; }

    /// <summary>Whether it may be tried now.</summary>
    public bool IsOver => Failures == 0 || time.GetElapsedTime(_failed) >= _pause;

    /// <summary>It was tried, and failed.</summary>
    public void Fail()
    {
        _failed = time.GetTimestamp();
        _pause = Failures == 0 ? first : _pause * 2 < longest ? _pause * 2 : longest;
        Failures++;
    }

    /// <summary>It is done.</summary>
    public void End() => Failures = 0;
}
