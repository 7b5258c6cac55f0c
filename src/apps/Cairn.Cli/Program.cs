using System.CommandLine;
using Cairn.Cli.Commands;
using Cairn.Cli.Output;

RootCommand root = new(
    "Cairn turns the unused disk space of the machines a group already owns into one shared, encrypted drive, with no server.");
root.Options.Add(GlobalOptions.Home);
root.Options.Add(GlobalOptions.Json);
root.Options.Add(GlobalOptions.Quiet);
foreach (Command command in AllCommands.Create())
{
    root.Subcommands.Add(command);
}

ParseResult parsed = root.Parse(args);
int exit = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
return parsed.Errors.Count > 0 ? ExitCode.Usage : exit;
