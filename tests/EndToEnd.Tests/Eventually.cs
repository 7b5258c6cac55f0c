using System.Diagnostics;

namespace Cairn.EndToEnd.Tests;

/// <summary>Waits on a condition with a deadline: what crosses the network is seen a moment later, never at once.</summary>
public static class Eventually
{
    /// <summary>Fails when the condition does not hold within the deadline.</summary>
    public static async Task Holds(Func<bool> condition, string what, double seconds = 30)
    {
        long start = Stopwatch.GetTimestamp();
        while (!Try(condition))
        {
            Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds < seconds, $"after {seconds} s it still does not hold that {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>A file that is being replaced or has not arrived makes the condition false, not an error.</summary>
    private static bool Try(Func<bool> condition)
    {
        try
        {
            return condition();
        }
        catch (IOException)
        {
            return false;
        }
    }
}
