using Cairn.Cli.Commands;
using Cairn.Cli.Output;

namespace Cairn.Cli.Tests.Commands;

public sealed class PastPathTests
{
    [Theory]
    [InlineData("home", "home", "")]
    [InlineData("home/", "home", "")]
    [InlineData("home/a/b c", "home", "a/b c")]
    [InlineData("home/me@work", "home", "me@work")]
    [InlineData("home/cafe@cafe", "home", "cafe@cafe")]
    public void The_present_is_a_volume_and_a_path(string text, string volume, string path) =>
        Assert.Equal(new PastPath(volume, path), PastPath.Present(text));

    [Fact]
    public void The_past_is_named_by_a_version_or_a_time()
    {
        Assert.Equal(new PastPath("home", "doc", "1a2b"), PastPath.Parse("home/doc@1a2b"));
        Assert.Equal(
            new PastPath("home", "doc", null, new DateTimeOffset(2026, 11, 20, 10, 0, 0, TimeSpan.Zero)),
            PastPath.Parse("home/doc@2026-11-20T10:00Z"));
        Assert.True(PastPath.Parse("home/me@work@2026-11-20").IsPast);
        Assert.Equal("me@work", PastPath.Parse("home/me@work@2026-11-20").Path);
    }

    [Theory]
    [InlineData("home/me@work")]
    [InlineData("home/doc@1a2")]
    [InlineData("home/doc")]
    [InlineData("home/doc@")]
    [InlineData("home/doc@12:00")]
    public void Anything_else_is_a_name(string text)
    {
        PastPath place = PastPath.Parse(text);
        Assert.False(place.IsPast);
        Assert.Equal(PastPath.Present(text), place);
    }

    [Theory]
    [InlineData("home/doc@yesterday", "yesterday")]
    [InlineData("home/a@b/doc@2026-13-45", "2026-13-45")]
    [InlineData("home/doc@1a2", "1a2")]
    public void What_is_no_form_of_the_past_is_said_with_those_there_are(string text, string word)
    {
        CommandException error = Assert.Throws<CommandException>(() => PastPath.ParsePast(text));
        Assert.Contains($"'{word}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("2026-11-20T10:00", error.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, error.Exit);
    }

    [Theory]
    [InlineData("home/doc")]
    [InlineData("home/doc@")]
    [InlineData("home/me@work/doc")]
    public void Without_a_word_behind_the_name_the_version_is_asked_for(string text) => Assert.Contains(
        "which version?", Assert.Throws<CommandException>(() => PastPath.ParsePast(text)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void The_query_is_escaped() =>
        Assert.Equal("?volume=h%26m&path=a%20b%2Fc&version=1a2b", new PastPath("h&m", "a b/c", "1a2b").Query);
}
