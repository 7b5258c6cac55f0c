namespace Cairn.Core.Text;

/// <summary>What became of a merge.</summary>
/// <param name="Content">The merged content; null when both sides changed the same place.</param>
/// <param name="FirstOverlap">The line of the ancestor, counted from 1, where both first did.</param>
public readonly record struct TextMergeResult(byte[]? Content, int FirstOverlap);

/// <summary>Three-way merge by lines: what either side changed of the common ancestor.</summary>
/// <remarks>
/// Edits of both sides that touch or overlap are a conflict, unless they are the same; nothing is guessed, and nothing is
/// marked up. Symmetric: who is called ours does not matter. Source: S. Khanna, K. Kunal, B. C. Pierce, "A Formal
/// Investigation of Diff3", 2007.
/// </remarks>
public static class TextMerge
{
    /// <summary>Merges.</summary>
    public static TextMergeResult Merge(
        ReadOnlyMemory<byte> ancestor, ReadOnlyMemory<byte> ours, ReadOnlyMemory<byte> theirs)
    {
        List<ReadOnlyMemory<byte>> old = TextLines.Split(ancestor);
        List<ReadOnlyMemory<byte>> mine = TextLines.Split(ours);
        List<ReadOnlyMemory<byte>> other = TextLines.Split(theirs);
        List<LineEdit> left = LineDiff.Between(old, mine);
        List<LineEdit> right = LineDiff.Between(old, other);
        List<ReadOnlyMemory<byte>> merged = new(old.Count + mine.Count);
        int at = 0;
        int l = 0;
        int r = 0;
        while (l < left.Count || r < right.Count)
        {
            bool takesLeft = r == right.Count || (l < left.Count && left[l].OldStart <= right[r].OldStart);
            if (l < left.Count && r < right.Count && Touch(left[l], right[r]))
            {
                if (!IsSame(left[l], mine, right[r], other))
                {
                    return new TextMergeResult(null, Math.Min(left[l].OldStart, right[r].OldStart) + 1);
                }

                takesLeft = true;
                r++;
            }

            LineEdit edit = takesLeft ? left[l++] : right[r++];
            merged.AddRange(old[at..edit.OldStart]);
            merged.AddRange((takesLeft ? mine : other)[edit.NewStart..edit.NewEnd]);
            at = edit.OldEnd;
        }

        merged.AddRange(old[at..]);
        return new TextMergeResult([.. merged.SelectMany(line => line.ToArray())], 0);
    }

    private static bool Touch(LineEdit one, LineEdit two) =>
        one.OldStart <= two.OldEnd && two.OldStart <= one.OldEnd;

    private static bool IsSame(
        LineEdit one, List<ReadOnlyMemory<byte>> ours, LineEdit two, List<ReadOnlyMemory<byte>> theirs) =>
        (one.OldStart, one.OldCount, one.NewCount) == (two.OldStart, two.OldCount, two.NewCount)
        && ours[one.NewStart..one.NewEnd].Zip(theirs[two.NewStart..two.NewEnd])
            .All(pair => pair.First.Span.SequenceEqual(pair.Second.Span));
}
