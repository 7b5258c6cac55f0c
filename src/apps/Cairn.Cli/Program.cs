using System.CommandLine;
using System.CommandLine.Invocation;
using Cairn.Cli.Commands;

ParseResult parsed = RootCommands.Create().Parse(args, RootCommands.Reading);
InvocationConfiguration configuration = new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) };
if (parsed.Action is ParseErrorAction wrong)
{
    return RootCommands.Refuse(parsed, wrong, configuration);
}

return await parsed.InvokeAsync(configuration);
