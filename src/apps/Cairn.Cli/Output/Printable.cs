using System.Globalization;
using System.Text;

namespace Cairn.Cli.Output;

/// <summary>Text of others (names of files above all) as it may be shown in a line: it breaks none and commands no terminal.</summary>
/// <remarks>For people, and not to be turned back: programs read <c>--json</c>.</remarks>
internal static class Printable
{
    /// <summary>Control characters and those that turn the writing direction as escapes: "\n", "\x1b", "\u202e".</summary>
    public static string Of(string text)
    {
        if (!text.Any(IsEscaped))
        {
            return text;
        }

        StringBuilder shown = new(text.Length + 8);
        foreach (char one in text)
        {
            _ = !IsEscaped(one) ? shown.Append(one)
                : one == '\n' ? shown.Append("\\n")
                : one == '\t' ? shown.Append("\\t")
                : IsRawByte(one) ? shown.Append(CultureInfo.InvariantCulture, $"\\x{one & 0xFF:x2}")
                : one < 0x100 ? shown.Append(CultureInfo.InvariantCulture, $"\\x{(int)one:x2}")
                : shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)one:x4}");
        }

        return shown.ToString();
    }

    private static bool IsEscaped(char one) =>
        char.IsControl(one) || IsRawByte(one) || one is '\u2028' or '\u2029'
            or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    /// <summary>A byte of a name that is no UTF-8, as NameText writes it.</summary>
    private static bool IsRawByte(char one) => one is >= '\uEF80' and <= '\uEFFF';
}
