using System.Globalization;
using System.Text;

namespace Cairn.Core.Text;

/// <summary>Differences as people and <c>patch</c> read them.</summary>
/// <remarks>Source: POSIX.1-2024, diff, "Diff -u or -U Output Format".</remarks>
public static class UnifiedDiff
{
    private const int ContextLines = 3;
    private const int TextBytesPerLine = 80;

    /// <summary>The unified diff; empty when the contents are equal.</summary>
    /// <param name="oldName">What the old content is called.</param>
    /// <param name="before">The old content.</param>
    /// <param name="newName">What the new content is called.</param>
    /// <param name="after">The new content.</param>
    public static byte[] Of(string oldName, ReadOnlyMemory<byte> before, string newName, ReadOnlyMemory<byte> after)
    {
        List<ReadOnlyMemory<byte>> old = TextLines.Split(before);
        List<ReadOnlyMemory<byte>> now = TextLines.Split(after);
        List<LineEdit> edits = LineDiff.Between(old, now);
        if (edits.Count == 0)
        {
            return [];
        }

        using MemoryStream output = new((edits.Count + 2) * TextBytesPerLine);
        output.Write(Encoding.UTF8.GetBytes($"--- {oldName}\n+++ {newName}\n"));
        for (int first = 0; first < edits.Count;)
        {
            int last = first;
            while (last + 1 < edits.Count && edits[last + 1].OldStart - edits[last].OldEnd <= 2 * ContextLines)
            {
                last++;
            }

            WriteHunk(output, old, now, edits.GetRange(first, last - first + 1));
            first = last + 1;
        }

        return output.ToArray();
    }

    private static void WriteHunk(
        MemoryStream output, List<ReadOnlyMemory<byte>> old, List<ReadOnlyMemory<byte>> now, List<LineEdit> edits)
    {
        int before = Math.Min(ContextLines, edits[0].OldStart);
        int after = Math.Min(ContextLines, old.Count - edits[^1].OldEnd);
        int oldStart = edits[0].OldStart - before;
        int newStart = edits[0].NewStart - before;
        string header = $"@@ -{Range(oldStart, edits[^1].OldEnd + after - oldStart)} "
            + $"+{Range(newStart, edits[^1].NewEnd + after - newStart)} @@\n";
        output.Write(Encoding.ASCII.GetBytes(header));
        int at = oldStart;
        foreach (LineEdit edit in edits)
        {
            Write(output, ' ', old, at, edit.OldStart);
            Write(output, '-', old, edit.OldStart, edit.OldEnd);
            Write(output, '+', now, edit.NewStart, edit.NewEnd);
            at = edit.OldEnd;
        }

        Write(output, ' ', old, at, at + after);
    }

    private static string Range(int start, int count)
    {
        // An empty range is named by the line before it.
        int line = count == 0 ? start : start + 1;
        return count == 1
            ? line.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{line},{count}");
    }

    private static void Write(
        MemoryStream output, char mark, List<ReadOnlyMemory<byte>> lines, int start, int end)
    {
        for (int i = start; i < end; i++)
        {
            output.WriteByte((byte)mark);
            output.Write(lines[i].Span);
            if (lines[i].Span[^1] != (byte)'\n')
            {
                output.Write("\n\\ No newline at end of file\n"u8);
            }
        }
    }
}
