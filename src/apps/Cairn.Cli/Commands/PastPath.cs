using System.Globalization;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary>
/// What a person writes for a place in a volume: <c>VOLUME/path</c>, with <c>@VERSION</c> or <c>@TIME</c> for the past.
/// </summary>
/// <param name="Volume">The volume's name.</param>
/// <param name="Path">The path below it, without a leading slash.</param>
/// <param name="Version">The start of a version's id, or null.</param>
/// <param name="Time">A moment, or null.</param>
public sealed record PastPath(string Volume, string Path, string? Version = null, DateTimeOffset? Time = null)
{
    private const int VersionDigitsMin = 4;
    private const int VersionDigitsMax = 32;

    /// <summary>What may stand behind an '@', for who wrote something else.</summary>
    public const string Forms = "behind '@' stands a version, 4 digits or more of the id that 'cairn log' shows, or a "
        + "time such as 2026-11-20 or 2026-11-20T10:00, local unless it ends in Z or an offset";

    /// <summary>The query that the control socket understands.</summary>
    public string Query =>
        VolumePath.Query($"{Volume}/{Path}")
        + (Version is null ? string.Empty : "&version=" + Uri.EscapeDataString(Version))
        + (Time is { } time
            ? "&time=" + Uri.EscapeDataString(time.ToString("O", CultureInfo.InvariantCulture))
            : string.Empty);

    /// <summary>Whether the past is meant.</summary>
    public bool IsPast => Version is not null || Time is not null;

    /// <summary>Reads a place in the present: an '@' is a character like any other.</summary>
    public static PastPath Present(string text)
    {
        (string volume, string path) = VolumePath.Split(text);
        return new PastPath(volume, path);
    }

    /// <summary>Reads a place that may be in the past: what follows the last '@' is a version or a time.</summary>
    /// <remarks>
    /// Four to thirty-two hexadecimal digits are a version; what has a '-' and reads as a time is one, local unless it
    /// says.
    /// </remarks>
    public static PastPath Parse(string text)
    {
        int at = text.LastIndexOf('@');
        string suffix = at < 0 ? string.Empty : text[(at + 1)..];
        if (suffix.Length is >= VersionDigitsMin and <= VersionDigitsMax && suffix.All(char.IsAsciiHexDigit))
        {
            return Present(text[..at]) with { Version = suffix };
        }

        bool isTime = suffix.Contains('-', StringComparison.Ordinal) && DateTimeOffset.TryParse(
            suffix, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out _);
        return isTime
            ? Present(text[..at]) with
            {
                Time = DateTimeOffset.Parse(suffix, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal),
            }
            : Present(text);
    }

    /// <summary>Reads a place that must be in the past.</summary>
    /// <exception cref="CommandException">Neither a version nor a time is named.</exception>
    public static PastPath ParsePast(string text)
    {
        PastPath place = Parse(text);
        return place.IsPast ? place : throw new CommandException(StrangeWord(text) is { } word
            ? $"{text}: '{word}' is no version and no time: {Forms}"
            : $"which version? Write {text}@VERSION or {text}@TIME; 'cairn log {text}' lists them")
        {
            Exit = ExitCode.Usage,
        };
    }

    /// <summary>What stands behind the '@' of a file's name and names nothing of the past; null without one.</summary>
    public static string? StrangeWord(string text)
    {
        PastPath place = Parse(text);
        string name = place.Path[(place.Path.LastIndexOf('/') + 1)..];
        int at = name.LastIndexOf('@');
        return place.IsPast || at < 0 || at == name.Length - 1 ? null : name[(at + 1)..];
    }
}
