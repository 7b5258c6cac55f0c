using System.Text;
using Spectre.Console.Rendering;

namespace Cairn.Cli.Output;

/// <summary>Rows under headings, one line each whatever is in them: nothing is broken or left out to fit a screen.</summary>
internal static class PlainTable
{
    private const string Gap = "  ";

    /// <summary>One long path must not push what stands behind it to the right in every line.</summary>
    private const int WidthMax = 60;

    /// <summary>The lines, the headings first; every row has as many cells as there are headings.</summary>
    public static IEnumerable<string> Lines(
        IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        List<string[]> lines = [[.. headings], .. rows.Select(row => row.Select(Printable.Of).ToArray())];
        int[] widths = new int[headings.Count];
        foreach (string[] line in lines)
        {
            for (int column = 0; column < widths.Length; column++)
            {
                widths[column] = Math.Max(widths[column], Math.Min(Width(line[column]), WidthMax));
            }
        }

        return lines.Select(line => Joined(line, widths));
    }

    private static string Joined(string[] cells, int[] widths)
    {
        StringBuilder line = new();
        for (int column = 0; column < cells.Length - 1; column++)
        {
            line.Append(cells[column]).Append(' ', Math.Max(0, widths[column] - Width(cells[column]))).Append(Gap);
        }

        return line.Append(cells[^1]).ToString();
    }

    /// <summary>Columns on a terminal: of some scripts a character takes two.</summary>
    private static int Width(string text) => Ascii.IsValid(text) ? text.Length : new Segment(text).CellCount();
}
