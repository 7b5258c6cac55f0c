using System.Collections.Immutable;
using System.Globalization;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rules;

/// <summary>Which snapshots of a volume are made by themselves, and of how many periods they stay.</summary>
/// <remarks>
/// A scheduled snapshot is called after the period in which it was made, in UTC: <c>hourly-20261120T1000Z</c>, and then
/// perhaps '-' and more. So nodes that act on the same schedule see from the names alone what is there already and what
/// is too old. Format: docs/formats/snapshot-schedule.md.
/// </remarks>
public sealed class SnapshotSchedule
{
    /// <summary>The most periods of one kind.</summary>
    public const int CountMax = 1000;

    private const string PeriodFormat = "yyyyMMdd'T'HHmm'Z'";
    private const int PeriodLength = 14;

    private static readonly string[] Kinds = ["hourly", "daily", "weekly", "monthly"];

    private readonly ImmutableArray<int> _counts;

    private SnapshotSchedule(ImmutableArray<int> counts) => _counts = counts;

    /// <summary>No snapshot is made by itself.</summary>
    public static SnapshotSchedule Off { get; } = new([.. Kinds.Select(static _ => 0)]);

    /// <summary>What has to be done about the snapshots that are there.</summary>
    /// <param name="Due">Names that are to be made.</param>
    /// <param name="Expired">Names that are kept no longer.</param>
    public readonly record struct Plan(IReadOnlyList<string> Due, IReadOnlyList<string> Expired);

    /// <summary>
    /// Reads <c>hourly 24, daily 30, weekly 8, monthly 12</c>, or some of these, or <c>off</c>; null if it is neither.
    /// </summary>
    public static SnapshotSchedule? Parse(string text)
    {
        if (text.Trim() == "off")
        {
            return Off;
        }

        int[] counts = new int[Kinds.Length];
        foreach (string part in text.Split(','))
        {
            string[] words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            int kind = words.Length == 2 ? Array.IndexOf(Kinds, words[0]) : -1;
            if (kind < 0 || counts[kind] != 0
                || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
                || count is 0 or > CountMax)
            {
                return null;
            }

            counts[kind] = count;
        }

        return new SnapshotSchedule([.. counts]);
    }

    /// <summary>What is to be done now.</summary>
    /// <remarks>
    /// Kinds that the schedule does not name are left alone, and so is what was made in a period that is still to come:
    /// then a clock is wrong, and it may be this one.
    /// </remarks>
    /// <param name="now">The present, as claimed here.</param>
    /// <param name="names">The names of all snapshots there are.</param>
    public Plan PlanAt(WallTime now, IReadOnlyCollection<string> names)
    {
        var due = new List<string>();
        var expired = new List<string>();
        for (int kind = 0; kind < Kinds.Length; kind++)
        {
            if (_counts[kind] == 0)
            {
                continue;
            }

            string current = StartOf(kind, now);
            var made = names.Select(name => (Name: name, Period: PeriodOf(kind, name)))
                .Where(one => one.Period is not null && string.CompareOrdinal(one.Period, current) <= 0).ToList();
            if (!made.Exists(one => one.Period == current))
            {
                due.Add($"{Kinds[kind]}-{current}");
            }

            List<string?> kept = [.. made.Select(one => one.Period).Distinct()
                .OrderDescending(StringComparer.Ordinal).Take(_counts[kind])];
            expired.AddRange(made.Where(one => !kept.Contains(one.Period)).Select(one => one.Name));
        }

        return new Plan(due, expired);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        string text = string.Join(
            ", ", Kinds.Select((kind, i) => $"{kind} {_counts[i]}").Where((_, i) => _counts[i] > 0));
        return text.Length > 0 ? text : "off";
    }

    /// <summary>The beginning of the period that a moment is in.</summary>
    private static string StartOf(int kind, WallTime now)
    {
        DateTime time = DateTime.UnixEpoch.AddTicks(now.UnixNanoseconds / 100);
        DateTime start = kind switch
        {
            0 => time.Date.AddHours(time.Hour),
            1 => time.Date,
            2 => time.Date.AddDays(-(((int)time.DayOfWeek + 6) % 7)),
            _ => time.Date.AddDays(1 - time.Day),
        };
        return start.ToString(PeriodFormat, CultureInfo.InvariantCulture);
    }

    /// <summary>The period in a name of this kind; null for a name that no schedule gave: somebody's "daily-news".</summary>
    private static string? PeriodOf(int kind, string name)
    {
        int start = Kinds[kind].Length + 1;
        int end = start + PeriodLength;
        return name.StartsWith(Kinds[kind] + "-", StringComparison.Ordinal)
            && (name.Length == end || (name.Length > end && name[end] == '-'))
            && DateTime.TryParseExact(
                name[start..end], PeriodFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            ? name[start..end]
            : null;
    }
}
