namespace Cairn.Core.Text;

/// <summary>A run of lines that was replaced.</summary>
/// <param name="OldStart">The first line of the old content that is gone, counted from 0; where lines came in if none is.</param>
/// <param name="OldCount">How many are gone.</param>
/// <param name="NewStart">The first line of the new content that came in their place.</param>
/// <param name="NewCount">How many came.</param>
public readonly record struct LineEdit(int OldStart, int OldCount, int NewStart, int NewCount)
{
    /// <summary>The line behind the last that is gone.</summary>
    public int OldEnd => OldStart + OldCount;

    /// <summary>The line behind the last that came.</summary>
    public int NewEnd => NewStart + NewCount;
}

/// <summary>The shortest way from one list of lines to another.</summary>
/// <remarks>
/// Source: E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, the greedy algorithm of section 4. Time and
/// memory grow with the square of the differences; contents with more than <see cref="DifferencesMax"/> between what they
/// have in common at both ends are taken as replaced there as a whole. Deterministic.
/// </remarks>
public static class LineDiff
{
    /// <summary>Lines gone and come that are told apart; 16 MiB of memory at most.</summary>
    public const int DifferencesMax = 2000;

    /// <summary>The edits from old to new, in order, with at least one common line between two of them.</summary>
    public static List<LineEdit> Between(
        IReadOnlyList<ReadOnlyMemory<byte>> before, IReadOnlyList<ReadOnlyMemory<byte>> after)
    {
        (int[] old, int[] now) = Number(before, after);
        int prefix = 0;
        while (prefix < old.Length && prefix < now.Length && old[prefix] == now[prefix])
        {
            prefix++;
        }

        int suffix = 0;
        while (suffix < old.Length - prefix && suffix < now.Length - prefix && old[^(suffix + 1)] == now[^(suffix + 1)])
        {
            suffix++;
        }

        ReadOnlySpan<int> a = old.AsSpan(prefix, old.Length - prefix - suffix);
        ReadOnlySpan<int> b = now.AsSpan(prefix, now.Length - prefix - suffix);
        return a.IsEmpty && b.IsEmpty ? [] : Edits(a, b, prefix);
    }

    /// <summary>Equal lines get equal numbers.</summary>
    private static (int[] Old, int[] New) Number(
        IReadOnlyList<ReadOnlyMemory<byte>> before, IReadOnlyList<ReadOnlyMemory<byte>> after)
    {
        Dictionary<ReadOnlyMemory<byte>, int> numbers = new(new LineComparer());
        int NumberOf(ReadOnlyMemory<byte> line)
        {
            if (!numbers.TryGetValue(line, out int number))
            {
                number = numbers.Count;
                numbers.Add(line, number);
            }

            return number;
        }

        return ([.. before.Select(NumberOf)], [.. after.Select(NumberOf)]);
    }

    private static List<LineEdit> Edits(ReadOnlySpan<int> a, ReadOnlySpan<int> b, int offset)
    {
        List<int[]> rounds = [];
        int max = Math.Min(a.Length + b.Length, DifferencesMax);
        int[] furthest = new int[(2 * max) + 2];
        for (int d = 0; d <= max; d++)
        {
            for (int k = -d; k <= d; k += 2)
            {
                bool isDown = k == -d || (k != d && furthest[max + k - 1] < furthest[max + k + 1]);
                int x = isDown ? furthest[max + k + 1] : furthest[max + k - 1] + 1;
                int y = x - k;
                while (x < a.Length && y < b.Length && a[x] == b[y])
                {
                    (x, y) = (x + 1, y + 1);
                }

                furthest[max + k] = x;
                if (x >= a.Length && y >= b.Length)
                {
                    return Walk(rounds, d, a.Length, b.Length, offset);
                }
            }

            rounds.Add(furthest[(max - d)..(max + d + 1)]);
        }

        return [new LineEdit(offset, a.Length, offset, b.Length)];
    }

    /// <summary>Goes the way back, from the end to the start, and joins neighbouring steps.</summary>
    private static List<LineEdit> Walk(List<int[]> rounds, int d, int x, int y, int offset)
    {
        List<LineEdit> edits = [];
        for (; d > 0; d--)
        {
            int[] before = rounds[d - 1];
            int k = x - y;
            int At(int diagonal) => before[diagonal + d - 1];
            bool isDown = k == -d || (k != d && At(k - 1) < At(k + 1));
            int fromX = isDown ? At(k + 1) : At(k - 1);
            int fromY = fromX - (isDown ? k + 1 : k - 1);
            LineEdit step = new(
                offset + fromX, isDown ? 0 : 1, offset + fromY, isDown ? 1 : 0);
            if (edits.Count > 0 && edits[^1].OldStart == step.OldEnd && edits[^1].NewStart == step.NewEnd)
            {
                LineEdit last = edits[^1];
                edits[^1] = new LineEdit(
                    step.OldStart, step.OldCount + last.OldCount, step.NewStart, step.NewCount + last.NewCount);
            }
            else
            {
                edits.Add(step);
            }

            (x, y) = (fromX, fromY);
        }

        edits.Reverse();
        return edits;
    }

    private sealed class LineComparer : IEqualityComparer<ReadOnlyMemory<byte>>
    {
        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        /// <summary>FNV-1a: the same in every process.</summary>
        public int GetHashCode(ReadOnlyMemory<byte> line)
        {
            uint hash = 2166136261;
            foreach (byte value in line.Span)
            {
                hash = (hash ^ value) * 16777619;
            }

            return (int)hash;
        }
    }
}
