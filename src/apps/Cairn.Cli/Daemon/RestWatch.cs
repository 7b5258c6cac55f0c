namespace Cairn.Cli.Daemon;

/// <summary>Decides when a daemon that has worked has come to rest, by what it allocated between two looks.</summary>
/// <remarks>
/// It says so twice after each spell of work: once soon, and once more when the pools of buffers, which keep what was used
/// within the last minute, will let go. Thread: one.
/// </remarks>
internal sealed class RestWatch
{
    /// <summary>How far apart the looks are meant to be.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    // An idle daemon allocates some 100 KiB between two looks.
    private const long WorkBytes = 4 << 20;
    private const int LooksUntilPoolsLetGo = 8;

    private long _allocated;
    private int _restingLooks;
    private bool _hasWorked;

    /// <summary>Takes a look.</summary>
    /// <param name="allocatedBytes">Bytes the process has allocated since it began.</param>
    /// <returns>Whether now is the time to give memory back.</returns>
    public bool Look(long allocatedBytes)
    {
        bool works = allocatedBytes - _allocated > WorkBytes;
        _allocated = allocatedBytes;
        _hasWorked |= works;
        _restingLooks = works ? 0 : _restingLooks + 1;
        bool isLast = _restingLooks == LooksUntilPoolsLetGo;
        bool isTime = _hasWorked && (_restingLooks == 1 || isLast);
        _hasWorked &= !isLast;
        return isTime;
    }
}
