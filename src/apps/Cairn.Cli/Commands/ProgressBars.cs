using Spectre.Console;

namespace Cairn.Cli.Commands;

/// <summary>Progress bars as this program draws them: on standard error, gone when done.</summary>
internal static class ProgressBars
{
    /// <summary>A bar, how much of it is done, how long it may take, and a sentence.</summary>
    public static Progress On(TextWriter writer)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        ProgressColumn[] columns =
        [
            new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn(), new TaskDescriptionColumn(),
        ];
        return console.Progress().AutoClear(true).Columns(columns);
    }
}
