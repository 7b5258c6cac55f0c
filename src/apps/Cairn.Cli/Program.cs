using System.CommandLine;
using System.CommandLine.Invocation;
using Cairn.Cli.Commands;
using Cairn.Cli.Output;

ParseResult parsed = RootCommands.Create().Parse(args, RootCommands.Reading);
InvocationConfiguration configuration = new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) };
int exit = await parsed.InvokeAsync(configuration);
return parsed.Action is ParseErrorAction ? ExitCode.Usage : exit;
