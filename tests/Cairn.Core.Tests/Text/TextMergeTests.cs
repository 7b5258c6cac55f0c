using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Text;

namespace Cairn.Core.Tests.Text;

/// <summary>Lines: what differs, how it is shown, and what both sides' changes of one text come to.</summary>
public sealed class TextMergeTests
{
    private const string Base = "one\ntwo\nthree\nfour\nfive\nsix\n";

    [Theory]
    [InlineData("ONE\ntwo\nthree\nfour\nfive\nsix\n", "one\ntwo\nthree\nfour\nfive\nSIX\n",
        "ONE\ntwo\nthree\nfour\nfive\nSIX\n")]
    [InlineData("zero\n" + Base, Base + "seven\n", "zero\n" + Base + "seven\n")]
    [InlineData("one\nthree\nfour\nfive\nsix\n", "one\ntwo\nthree\nfour\nfive\n5.5\nsix\n",
        "one\nthree\nfour\nfive\n5.5\nsix\n")]
    [InlineData("one\ntwo!\nthree\nfour\nfive\nsix\n", "one\ntwo!\nthree\nfour\nfive\nsix\n7",
        "one\ntwo!\nthree\nfour\nfive\nsix\n7")]
    [InlineData(Base, "", "")]
    public void Changes_of_different_places_are_both_in_the_merge(string ours, string theirs, string merged)
    {
        Assert.Equal(merged, Merge(Base, ours, theirs));
        Assert.Equal(merged, Merge(Base, theirs, ours));
    }

    [Theory]
    [InlineData("one\nTWO\nthree\nfour\nfive\nsix\n", "one\n2\nthree\nfour\nfive\nsix\n", 2)]
    [InlineData("one\nTWO\nthree\nfour\nfive\nsix\n", "one\ntwo\n3\nfour\nfive\nsix\n", 2)]
    [InlineData(Base + "mine\n", Base + "yours\n", 7)]
    [InlineData("", "one\ntwo\nthree\nfour\nfive\nSIX\n", 1)]
    public void Changes_of_one_place_are_not_merged(string ours, string theirs, int line)
    {
        foreach ((string left, string right) in new[] { (ours, theirs), (theirs, ours) })
        {
            TextMergeResult result = TextMerge.Merge(Bytes(Base), Bytes(left), Bytes(right));
            Assert.Null(result.Content);
            Assert.Equal(line, result.FirstOverlap);
        }
    }

    [Fact]
    public void Random_edits_are_found_and_merge_to_what_applying_both_gives()
    {
        Prng random = new(42);
        for (int run = 0; run < 500; run++)
        {
            List<string> old = [.. Enumerable.Range(0, 30).Select(_ => $"{random.Next(6)}\n")];
            string[] left = Edited(old, random, 0, 14);
            string[] right = Edited(old, random, 16, 30);
            string both = string.Concat(left.Take(left.Length - 15)) + string.Concat(right.Skip(15));
            AssertDiff(old, left);
            AssertDiff(old, right);

            // Equal lines can be found elsewhere: then the merge may refuse, but never give anything else.
            if (Merge(string.Concat(old), string.Concat(left), string.Concat(right)) is { } merged)
            {
                Assert.Equal(both.Length, merged.Length);
            }
        }
    }

    [Fact]
    public void A_text_that_was_all_replaced_is_one_edit()
    {
        ReadOnlyMemory<byte>[] old = [.. Enumerable.Range(0, 3000).Select(i => (ReadOnlyMemory<byte>)Bytes($"a{i}\n"))];
        ReadOnlyMemory<byte>[] now = [.. Enumerable.Range(0, 3000).Select(i => (ReadOnlyMemory<byte>)Bytes($"b{i}\n"))];
        Assert.True(old.Length + now.Length > LineDiff.DifferencesMax);
        Assert.Equal([new LineEdit(0, 3000, 0, 3000)], LineDiff.Between(old, now));
        Assert.Equal([new LineEdit(0, 0, 0, 3000)], LineDiff.Between([], now));
        Assert.Empty(LineDiff.Between(old, old));
    }

    [Fact]
    public void A_diff_is_shown_as_patch_reads_it()
    {
        string old = string.Concat(Enumerable.Range(1, 20).Select(i => $"{i}\n"));
        string now = old.Replace("2\n3\n", "2\nnew\n3\n").Replace("18\n", string.Empty) + "end";
        string diff = Encoding.UTF8.GetString(UnifiedDiff.Of("a", Bytes(old), "b", Bytes(now)));
        Assert.Equal(
            """
            --- a
            +++ b
            @@ -1,5 +1,6 @@
             1
             2
            +new
             3
             4
             5
            @@ -15,6 +16,6 @@
             15
             16
             17
            -18
             19
             20
            +end
            \ No newline at end of file

            """.ReplaceLineEndings("\n"),
            diff);
        Assert.Empty(UnifiedDiff.Of("a", Bytes(old), "b", Bytes(old)));
        Assert.Contains("@@ -0,0 +1 @@", Encoding.UTF8.GetString(UnifiedDiff.Of("a", default, "b", Bytes("x\n"))));
    }

    [Fact]
    public void Text_has_no_NUL_and_its_lines_give_it_back()
    {
        Assert.True(TextLines.IsText(Bytes(Base)));
        Assert.False(TextLines.IsText([1, 0, 2]));
        Assert.False(TextLines.IsText(new byte[TextLines.BytesMax + 1].AsSpan()));
        IEnumerable<string> lines =
            TextLines.Split(Bytes("a\n\nb")).Select(line => Encoding.UTF8.GetString(line.Span));
        Assert.Equal(["a\n", "\n", "b"], lines);
        Assert.Empty(TextLines.Split(default));
    }

    private static string[] Edited(List<string> old, Prng random, int from, int to)
    {
        List<string> edited = [.. old];
        int at = from + random.Next(to - from);
        switch (random.Next(3))
        {
            case 0:
                edited[at] = "changed\n";
                break;
            case 1:
                edited.Insert(at, "came\n");
                break;
            default:
                edited.RemoveAt(at);
                break;
        }

        return [.. edited];
    }

    /// <summary>Carrying out the edits on the old lines gives the new ones.</summary>
    private static void AssertDiff(List<string> old, string[] now)
    {
        List<LineEdit> edits = LineDiff.Between(Lines(old), Lines(now));
        List<string> result = [.. old];
        foreach (LineEdit edit in edits.AsEnumerable().Reverse())
        {
            result.RemoveRange(edit.OldStart, edit.OldCount);
            result.InsertRange(edit.OldStart, now[edit.NewStart..edit.NewEnd]);
        }

        Assert.Equal(now, result);
    }

    private static ReadOnlyMemory<byte>[] Lines(IEnumerable<string> lines) =>
        [.. lines.Select(line => (ReadOnlyMemory<byte>)Bytes(line))];

    private static string? Merge(string ancestor, string ours, string theirs) =>
        TextMerge.Merge(Bytes(ancestor), Bytes(ours), Bytes(theirs)).Content is { } merged
            ? Encoding.UTF8.GetString(merged)
            : null;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
