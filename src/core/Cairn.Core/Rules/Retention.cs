using System.Globalization;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rules;

/// <summary>
/// Which past versions of a file stay, besides the one that is shown: <c>all 30d, daily 1y, last 10</c>.
/// </summary>
/// <remarks>
/// A version stays when any of the three says so. Time is a claim and decides nothing but for how long the past can be
/// looked at. The same goes for a deleted file, whose newest version became past when it was deleted.
/// </remarks>
/// <param name="AllDays">Every version that was replaced or deleted less than so many days ago.</param>
/// <param name="DailyDays">The last version of each day (UTC) for so many days.</param>
/// <param name="Last">At least so many of the newest past versions, however old.</param>
public readonly record struct Retention(int AllDays, int DailyDays, int Last)
{
    /// <summary>Longer than anybody will wait: about 2,700 years.</summary>
    public const int DaysMax = 1_000_000;

    private const long NanosecondsPerDay = 86_400_000_000_000;

    /// <summary>Nothing of the past stays.</summary>
    public static Retention None => default;

    /// <summary>Everything stays.</summary>
    public static Retention Forever { get; } = new(DaysMax, 0, 0);

    /// <summary>Whether the numbers may stand in a rule.</summary>
    public bool IsValid => AllDays is >= 0 and <= DaysMax && DailyDays is >= 0 and <= DaysMax && Last >= 0;

    /// <summary>Which of a file's past versions may go.</summary>
    /// <param name="past">The past versions, the newest first.</param>
    /// <param name="replacedAt">When a version stopped being shown: the claim of what replaced or deleted it.</param>
    /// <param name="now">The present, as claimed here.</param>
    /// <param name="expired">Gets the ones that nothing keeps, in the order of <paramref name="past"/>.</param>
    public void FindExpired<T>(
        IReadOnlyList<T> past, Func<T, WallTime> replacedAt, WallTime now, ICollection<T> expired)
    {
        long dayBefore = long.MinValue;
        for (int i = 0; i < past.Count; i++)
        {
            WallTime time = replacedAt(past[i]);
            long day = Math.DivRem(time.UnixNanoseconds, NanosecondsPerDay).Quotient;
            bool isLastOfDay = day != dayBefore;
            dayBefore = day;
            bool isKept = i < Last || IsWithin(time, AllDays, now) || (isLastOfDay && IsWithin(time, DailyDays, now));
            if (!isKept)
            {
                expired.Add(past[i]);
            }
        }
    }

    /// <summary>
    /// Reads <c>all 30d, daily 1y, last 10</c>, <c>none</c> or <c>forever</c>; null if it is none of these.
    /// </summary>
    public static Retention? Parse(string text)
    {
        switch (text.Trim())
        {
            case "none":
                return None;
            case "forever":
                return Forever;
            default:
                break;
        }

        Retention read = None;
        foreach (string part in text.Split(','))
        {
            string[] words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is not [string kind, string amount] || Amount(kind, amount) is not { } number)
            {
                return null;
            }

            switch (kind)
            {
                case "all" when read.AllDays == 0:
                    read = read with { AllDays = number };
                    break;
                case "daily" when read.DailyDays == 0:
                    read = read with { DailyDays = number };
                    break;
                case "last" when read.Last == 0:
                    read = read with { Last = number };
                    break;
                default:
                    return null;
            }
        }

        return read;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        if (this == None || this == Forever)
        {
            return this == None ? "none" : "forever";
        }

        string[] parts = [Part("all", AllDays, "d"), Part("daily", DailyDays, "d"), Part("last", Last, string.Empty)];
        return string.Join(", ", parts.Where(part => part.Length > 0));
    }

    private static string Part(string kind, int number, string unit) =>
        number == 0 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $"{kind} {number}{unit}");

    private static bool IsWithin(WallTime time, int days, WallTime now) =>
        days > 0 && (days >= DaysMax || (now.UnixNanoseconds - time.UnixNanoseconds) / NanosecondsPerDay < days);

    private static int? Amount(string kind, string text)
    {
        int daysPerUnit = (kind, text[^1]) switch
        {
            ("last", >= '0' and <= '9') => 1,
            ("all" or "daily", 'd') => 1,
            ("all" or "daily", 'w') => 7,
            ("all" or "daily", 'm') => 30,
            ("all" or "daily", 'y') => 365,
            _ => 0,
        };
        string digits = kind == "last" ? text : text[..^1];
        bool isNumber = int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        return daysPerUnit == 0 || !isNumber || number == 0 || number > DaysMax / daysPerUnit
            ? null
            : number * daysPerUnit;
    }
}
