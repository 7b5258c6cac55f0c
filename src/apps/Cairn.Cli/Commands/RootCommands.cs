using System.CommandLine;
using System.CommandLine.Help;

namespace Cairn.Cli.Commands;

/// <summary>The whole command line: the global options and every command.</summary>
public static class RootCommands
{
    /// <summary>How words are read: <c>@TIME</c> and <c>@NAME</c> are moments and snapshots, not files with more words.</summary>
    public static ParserConfiguration Reading { get; } = new() { ResponseFileTokenReplacer = null };

    /// <summary>Builds it.</summary>
    public static RootCommand Create()
    {
        RootCommand root = new(
            "Cairn turns the unused disk space of the machines a group already owns into one shared, encrypted drive, "
            + "with no server.");
        root.Options.Add(GlobalOptions.Home);
        root.Options.Add(GlobalOptions.Json);
        root.Options.Add(GlobalOptions.Quiet);
        foreach (Command command in AllCommands.Create())
        {
            root.Subcommands.Add(command);
        }

        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ManualHelp((HelpAction)help.Action!);
        return root;
    }
}
