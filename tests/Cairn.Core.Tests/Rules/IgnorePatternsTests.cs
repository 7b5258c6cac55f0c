using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Core.Tests.Rules;

public sealed class IgnorePatternsTests
{
    [Theory]
    [InlineData("*.tmp", "a.tmp", true)]
    [InlineData("*.tmp", "deep/down/a.tmp", true)]
    [InlineData("*.tmp", "a.tmp.txt", false)]
    [InlineData("*.tmp", ".tmp", true)]
    [InlineData("~$*", "~$letter.docx", true)]
    [InlineData(".~lock.*#", ".~lock.sheet.ods#", true)]
    [InlineData(".~lock.*#", ".~lock.sheet.ods", false)]
    [InlineData("a?c", "abc", true)]
    [InlineData("a?c", "ac", false)]
    [InlineData("a*b*c", "aXXbYYbZc", true)]
    [InlineData("a*b*c", "aXXbYYbZ", false)]
    [InlineData("*", "anything", true)]
    [InlineData("/only-here", "only-here", true)]
    [InlineData("/only-here", "below/only-here", false)]
    [InlineData("doc/*.txt", "doc/a.txt", true)]
    [InlineData("doc/*.txt", "doc/deep/a.txt", false)]
    [InlineData("doc/*.txt", "other/doc/a.txt", false)]
    [InlineData("**/logs", "logs", true)]
    [InlineData("**/logs", "a/b/logs", true)]
    [InlineData("**/logs/*.log", "a/logs/x.log", true)]
    [InlineData("**/logs/*.log", "a/logs/b/x.log", false)]
    [InlineData("a/**", "a/b/c", true)]
    [InlineData("a/**", "a", false)]
    [InlineData("a/**/z", "a/z", true)]
    [InlineData("a/**/z", "a/b/c/z", true)]
    [InlineData("a/**/z", "a/b/c", false)]
    [InlineData("a/**/b/**/c", "a/x/b/y/b/z/c", true)]
    [InlineData("a/**/b/**/c", "a/x/c/y", false)]
    [InlineData("[a-c]x", "bx", true)]
    [InlineData("[a-c]x", "dx", false)]
    [InlineData("[!a-c]x", "dx", true)]
    [InlineData("[^a-c]x", "ax", false)]
    [InlineData("[]]x", "]x", true)]
    [InlineData("[a-]x", "-x", true)]
    [InlineData("[open", "[open", true)]
    [InlineData("\\!important", "!important", true)]
    [InlineData("\\#note", "#note", true)]
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "star", false)]
    [InlineData("# a comment", "# a comment", false)]
    [InlineData("name   ", "name", true)]
    [InlineData("name\\ ", "name ", true)]
    [InlineData("windows\r", "windows", true)]
    [InlineData("", "", false)]
    [InlineData("/", "x", false)]
    [InlineData("!", "x", false)]
    public void One_pattern(string pattern, string path, bool isIgnored) =>
        Assert.Equal(isIgnored, Decide(pattern, path) == true);

    [Fact]
    public void A_slash_at_the_end_means_folders_only()
    {
        Assert.True(Decide("build/", "a/build", isFolder: true));
        Assert.Null(Decide("build/", "a/build"));
        Assert.True(Decide("/a/build/", "a/build", isFolder: true));
    }

    [Fact]
    public void The_last_pattern_that_fits_decides()
    {
        const string text = "*.log\n!keep.log\n/old/keep.log\n";
        Assert.True(Decide(text, "x.log"));
        Assert.False(Decide(text, "keep.log"));
        Assert.False(Decide(text, "new/keep.log"));
        Assert.True(Decide(text, "old/keep.log"));
        Assert.Null(Decide(text, "x.txt"));
    }

    [Fact]
    public void Names_are_bytes()
    {
        IgnorePatterns patterns = IgnorePatterns.Parse([0xFF, (byte)'*', (byte)'\n']);
        Assert.True(patterns.Decide([0xFF, 0xFE], false));
        Assert.Null(patterns.Decide([0xFE, 0xFF], false));
        Assert.True(Decide("h\u00e9*", "h\u00e9llo"));
    }

    [Fact]
    public void An_empty_file_says_nothing()
    {
        Assert.True(IgnorePatterns.Parse("\n\n# only this\n   \n"u8).IsEmpty);
        Assert.Same(IgnorePatterns.None, IgnorePatterns.Parse([]));
        Assert.Equal(".cairnignore", IgnorePatterns.FileName);
    }

    /// <summary>A hostile file costs time in proportion to its size: this would not end if it were exponential.</summary>
    [Fact]
    public void Patterns_made_to_be_slow_are_not()
    {
        string stars = string.Concat(Enumerable.Repeat("*a", 60));
        Assert.Null(Decide(stars + "b", new string('a', 255)));
        string depths = string.Concat(Enumerable.Repeat("**/a/", 60));
        Assert.Null(Decide(depths + "b", string.Join('/', Enumerable.Repeat("a", 500))));
    }

    [Fact]
    public void Any_bytes_can_be_read_and_asked()
    {
        var random = new Prng(1);
        byte[] alphabet = [.. "ab*?[]!-/\\# \n\r"u8, 0xFF];
        for (int round = 0; round < 3000; round++)
        {
            byte[] text = [.. Enumerable.Range(0, random.Next(60)).Select(_ => alphabet[random.Next(alphabet.Length)])];
            byte[] path = [.. Enumerable.Range(0, 1 + random.Next(20)).Select(_ => alphabet[random.Next(4)])];
            IgnorePatterns patterns = IgnorePatterns.Parse(text);
            Assert.True(patterns.IsEmpty ? patterns.Decide(path, false) is null : text.Length > 0);
            _ = patterns.Decide(path, true);
        }
    }

    private static bool? Decide(string text, string path, bool isFolder = false) =>
        IgnorePatterns.Parse(Encoding.UTF8.GetBytes(text)).Decide(Encoding.UTF8.GetBytes(path), isFolder);
}
