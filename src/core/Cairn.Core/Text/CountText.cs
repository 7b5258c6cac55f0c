using System.Globalization;

namespace Cairn.Core.Text;

/// <summary>So many of something, for people: "1 file", "2,000 files".</summary>
public static class CountText
{
    /// <summary>The count and the word that goes with it.</summary>
    /// <param name="count">How many.</param>
    /// <param name="one">The word for one.</param>
    /// <param name="many">The word for any other number; null for <paramref name="one"/> with an s.</param>
    public static string Of(long count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many ?? one + "s")}");
}
