using System.CommandLine;
using System.CommandLine.Invocation;
using Cairn.Cli.Commands;

string[] words = CommandLineBytes.Restore(args, static () => File.ReadAllBytes("/proc/self/cmdline"));
ParseResult parsed = RootCommands.Create().Parse(words, RootCommands.Reading);
InvocationConfiguration configuration = new() { ProcessTerminationTimeout = TimeSpan.FromSeconds(20) };
if (parsed.Action is ParseErrorAction wrong)
{
    return RootCommands.Refuse(parsed, wrong, configuration);
}

return await parsed.InvokeAsync(configuration);
