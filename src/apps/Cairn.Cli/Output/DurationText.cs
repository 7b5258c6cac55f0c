using System.Globalization;

namespace Cairn.Cli.Output;

/// <summary>Durations as people read them: <c>3.2 s</c>, <c>4 min</c>, <c>2 h 5 min</c>, <c>6 d 3 h</c>.</summary>
public static class DurationText
{
    /// <summary>At most two units, whole above a minute.</summary>
    public static string Format(TimeSpan duration) => duration switch
    {
        { TotalSeconds: < 1 } => duration.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture) + " ms",
        { TotalSeconds: < 60 } => duration.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        { TotalMinutes: < 60 } => Invariant($"{(int)duration.TotalMinutes} min {duration.Seconds} s"),
        { TotalHours: < 24 } => Invariant($"{(int)duration.TotalHours} h {duration.Minutes} min"),
        _ => Invariant($"{(int)duration.TotalDays} d {duration.Hours} h"),
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
