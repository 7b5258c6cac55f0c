using System.CommandLine;
using Cairn.Cli.Commands;

namespace Cairn.Cli.Tests.Commands;

/// <summary>What all commands have in common: words that explain them, and examples that work.</summary>
public sealed class CommandTableTests
{
    public static TheoryData<string> Leaves => [.. Leaf(RootCommands.Create(), string.Empty).Select(leaf => leaf.Line)];

    /// <summary>Every command, argument and option says what it does: help of man-page quality has no blanks.</summary>
    [Fact]
    public void Everything_is_described()
    {
        foreach (Command command in AllCommands.Create())
        {
            Check(command, command.Name);
        }
    }

    [Fact]
    public void No_two_commands_have_one_name()
    {
        string[] names = [.. AllCommands.Create().Select(command => command.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Leaves))]
    public void The_help_of_a_command_ends_with_examples_that_are_right(string line)
    {
        RootCommand root = RootCommands.Create();
        StringWriter output = new();
        root.Parse([.. line.Split(' '), "--help"]).Invoke(new InvocationConfiguration { Output = output });
        string help = output.ToString();
        int start = help.IndexOf("Example", StringComparison.Ordinal);
        Assert.True(start >= 0, help);
        string[] examples = [.. help[start..].Split('\n').Skip(1).Where(text => text.Trim().Length > 0)];
        Assert.NotEmpty(examples);
        Assert.All(examples, example =>
        {
            // What is piped in or out, or redirected, is the shell's.
            string own = example.Split('|').Single(part => part.Contains("cairn " + line, StringComparison.Ordinal));
            string words = own.Split('>', '<')[0].Trim()["cairn ".Length..];
            Assert.Empty(root.Parse(words, RootCommands.Reading).Errors);
        });
    }

    /// <summary>What would be no time for a timer ends in a sentence, not in an exception.</summary>
    [Theory]
    [InlineData("wait --safe --timeout -1")]
    [InlineData("wait --safe --timeout soon")]
    [InlineData("evacuate --timeout 1e300")]
    [InlineData("mount photos /photos --wait NaN")]
    [InlineData("up --wait-reads 99999999999")]
    public void A_wait_that_is_no_number_of_seconds_is_refused(string line) => Assert.Contains(
        "is not a number of seconds",
        Assert.Single(RootCommands.Create().Parse(line, RootCommands.Reading).Errors).Message,
        StringComparison.Ordinal);

    /// <summary>Looking at a word that is no number must not end the program before the number's own sentence.</summary>
    [Theory]
    [InlineData("'x' is not a number of days", "pin --recent x")]
    [InlineData("'0' is not a number of days", "pin photos --recent 0")]
    [InlineData("'x' is not a number of nodes", "wait --online x")]
    [InlineData("'-1' is not a number of nodes", "wait --online -1")]
    [InlineData("'-5' is not a number of lines", "logs --lines -5")]
    public void A_word_that_is_no_number_is_refused(string sentence, string line) => Assert.StartsWith(
        sentence,
        Assert.Single(RootCommands.Create().Parse(line, RootCommands.Reading).Errors).Message,
        StringComparison.Ordinal);

    /// <summary>What looks at a command's words meets those that are missing, too: a sentence is due, not an exception.</summary>
    [Theory]
    [MemberData(nameof(Leaves))]
    public void An_option_without_its_word_is_refused(string line)
    {
        Command command = Leaf(RootCommands.Create(), string.Empty).Single(leaf => leaf.Line == line).Command;
        foreach (Option option in command.Options.Where(option => option.Arity.MinimumNumberOfValues > 0))
        {
            Assert.NotEmpty(RootCommands.Create().Parse($"{line} {option.Name}", RootCommands.Reading).Errors);
        }
    }

    [Theory]
    [InlineData("pin --recent")]
    [InlineData("pin photos --recent 3")]
    [InlineData("wait --safe")]
    [InlineData("logs -n 0")]
    public void A_number_may_be_left_out_where_one_is_usual(string line) =>
        Assert.Empty(RootCommands.Create().Parse(line, RootCommands.Reading).Errors);

    /// <summary>A script's variable that is not set is a slip, and above all names no other home.</summary>
    [Theory]
    [InlineData("--home is empty", "--home", "", "leave")]
    [InlineData("--home is empty", "leave", "--home", "")]
    [InlineData("DIR is empty", "mount", "photos", "")]
    [InlineData("VOLUME/PATH is empty", "rm", "--recursive", "")]
    [InlineData("--kit is empty", "init", "--kit", "")]
    [InlineData("NODE is empty", "volume", "writers", "photos", "desk", "")]
    public void An_empty_word_is_refused(string sentence, params string[] words) => Assert.Equal(
        sentence, Assert.Single(RootCommands.Create().Parse(words, RootCommands.Reading).Errors).Message);

    [Fact]
    public void Wrapped_details_lose_no_word_and_fit_the_page()
    {
        const string word = "a-long-word-0123456789";
        const string text = $"one two three\nfour {word} {word} {word} end";
        string[] lines = [.. ManualHelp.Wrap(text)];
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Equal(text.Split(' ', '\n'), string.Join(' ', lines).Split(' '));
        Assert.Equal("one two three", lines[0]);
    }

    private static IEnumerable<(Command Command, string Line)> Leaf(Command command, string line) =>
        command.Subcommands.Count == 0
            ? [(command, line)]
            : command.Subcommands.SelectMany(verb => Leaf(verb, $"{line} {verb.Name}".Trim()));

    private static void Check(Command command, string path)
    {
        Assert.False(string.IsNullOrWhiteSpace(command.Description), path);
        Assert.All(command.Arguments, argument => Described(argument.Description, path + " " + argument.Name));
        Assert.All(command.Options, option => Described(option.Description, path + " " + option.Name));
        foreach (Command verb in command.Subcommands)
        {
            Check(verb, path + " " + verb.Name);
        }
    }

    private static void Described(string? description, string what) =>
        Assert.False(string.IsNullOrWhiteSpace(description), what);
}
