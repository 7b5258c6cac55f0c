using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.FuseDevice;

/// <summary>One of a mount's readers at a time looks for the next request for a moment, instead of sleeping at once.</summary>
/// <remarks>
/// A program that makes files asks one thing after the other. When reader and program sleep in turn on two processors, each
/// request wakes both, and in a virtual machine waking one takes longer than most requests (docs/performance.md, "Small
/// files"). A reader that looks is awake; whoever else has work gets its processor, for it yields at each look.
/// Thread: any; one has the turn, the others sleep in the kernel.
/// </remarks>
internal sealed class RequestPoll(SafeFileHandle device) : IDisposable
{
    private PollWindow _window;
    private int _isTaken;

    /// <summary>Waits for a request and reads it.</summary>
    /// <param name="exchange">Into which.</param>
    /// <param name="sleeping">The reader's own queue, on which it sleeps.</param>
    /// <returns>0, or the error number.</returns>
    internal int Read(FuseExchange exchange, SafeFileHandle sleeping)
    {
        if (Interlocked.Exchange(ref _isTaken, 1) != 0)
        {
            return exchange.TryRead(sleeping);
        }

        long start = Stopwatch.GetTimestamp();
        int error = FuseSystem.Again;
        while (error == FuseSystem.Again && Stopwatch.GetElapsedTime(start) < _window.Length)
        {
            error = exchange.TryRead(device);
            if (error == FuseSystem.Again)
            {
                Thread.Yield();
            }
        }

        if (error == FuseSystem.Again)
        {
            error = exchange.TryRead(sleeping);
            _window.Waited(Stopwatch.GetElapsedTime(start));
        }

        Volatile.Write(ref _isTaken, 0);
        return error;
    }

    /// <summary>Closes its queue.</summary>
    public void Dispose() => device.Dispose();
}
