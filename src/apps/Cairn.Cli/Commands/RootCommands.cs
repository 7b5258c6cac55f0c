using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Cairn.Cli.Output;

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
        root.Add(new CompleteDirective());
        foreach (Command command in AllCommands.Create())
        {
            root.Subcommands.Add(command);
        }

        RefuseEmptyWords(root);
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ManualHelp((HelpAction)help.Action!);
        return root;
    }

    /// <summary>
    /// Says what is wrong with a command line and where its help is. The help itself would push the reason off the screen; it is
    /// shown to who gave no command.
    /// </summary>
    public static int Refuse(ParseResult parsed, ParseErrorAction wrong, InvocationConfiguration configuration)
    {
        Command command = parsed.CommandResult.Command;
        wrong.ShowHelp = command.Action is null && parsed.UnmatchedTokens.Count == 0;
        parsed.Invoke(configuration);
        if (!wrong.ShowHelp)
        {
            string path = string.Join(' ', Path(parsed.CommandResult).Reverse());
            configuration.Error.WriteLine($"'{path} --help' explains it.");
        }

        return ExitCode.Usage;
    }

    private static IEnumerable<string> Path(CommandResult command)
    {
        for (SymbolResult? one = command; one is not null; one = one.Parent)
        {
            yield return one is CommandResult { Command: not RootCommand and var known } ? known.Name : "cairn";
        }
    }

    /// <summary>What a script gives for a variable that is not set is a slip: an empty --home must not mean another home.</summary>
    private static void RefuseEmptyWords(Command command)
    {
        command.Validators.Add(result =>
        {
            foreach (SymbolResult child in Said(result).Where(one => one.Tokens.Any(word => word.Value.Length == 0)))
            {
                string? what = child switch
                {
                    OptionResult option => option.Option.Name,
                    ArgumentResult argument => argument.Argument.HelpName ?? argument.Argument.Name,
                    _ => null,
                };
                result.AddError($"{what} is empty");
            }
        });
        foreach (Command below in command.Subcommands)
        {
            RefuseEmptyWords(below);
        }
    }

    /// <summary>What belongs to a command; options of every command may stand before its name, too.</summary>
    private static IEnumerable<SymbolResult> Said(CommandResult command) => command.Parent is CommandResult above
        ? command.Children.Concat(Said(above).OfType<OptionResult>())
        : command.Children;
}
