using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Cairn.Cli.Commands;

/// <summary>Prints <c>--help</c>: usage, arguments and options, then the command's details and examples.</summary>
internal sealed class ManualHelp(HelpAction table) : SynchronousCommandLineAction
{
    private const int ColumnsMax = 80;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        ArgumentNullException.ThrowIfNull(parseResult);
        int exit = table.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not ManualCommand manual)
        {
            return exit;
        }

        TextWriter output = parseResult.InvocationConfiguration.Output;
        if (manual.Details.Length > 0)
        {
            output.WriteLine("Details:");
            foreach (string line in Wrap(manual.Details))
            {
                output.WriteLine("  " + line);
            }

            output.WriteLine();
        }

        output.WriteLine(manual.Examples.Count == 1 ? "Example:" : "Examples:");
        foreach (string example in manual.Examples)
        {
            output.WriteLine("  " + example);
        }

        output.WriteLine();
        return exit;
    }

    /// <summary>Breaks text at spaces so that lines fit; a line break in the text stays.</summary>
    internal static IEnumerable<string> Wrap(string text)
    {
        foreach (string paragraph in text.Split('\n'))
        {
            string line = string.Empty;
            foreach (string word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (line.Length > 0 && line.Length + 1 + word.Length > ColumnsMax)
                {
                    yield return line;
                    line = string.Empty;
                }

                line = line.Length == 0 ? word : line + " " + word;
            }

            yield return line;
        }
    }
}
