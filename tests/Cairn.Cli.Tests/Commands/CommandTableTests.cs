using System.CommandLine;
using Cairn.Cli.Commands;

namespace Cairn.Cli.Tests.Commands;

public sealed class CommandTableTests
{
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

    private static void Check(Command command, string path)
    {
        Assert.False(string.IsNullOrWhiteSpace(command.Description), path);
        Assert.All(command.Arguments, argument => Assert.False(string.IsNullOrWhiteSpace(argument.Description), path + " " + argument.Name));
        Assert.All(command.Options, option => Assert.False(string.IsNullOrWhiteSpace(option.Description), path + " " + option.Name));
        foreach (Command verb in command.Subcommands)
        {
            Check(verb, path + " " + verb.Name);
        }
    }
}
