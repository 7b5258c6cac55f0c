using System.CommandLine;
using Cairn.Cli.Commands;
using Cairn.Cli.Output;

ParseResult parsed = RootCommands.Create().Parse(args);
int exit = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) });
return parsed.Errors.Count > 0 ? ExitCode.Usage : exit;
