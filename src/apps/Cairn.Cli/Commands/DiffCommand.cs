using System.CommandLine;
using Cairn.Cli.Output;
using Cairn.Core.Text;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn diff</c>: what changed between two versions of a text.</summary>
public static class DiffCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Argument<string> before = Names.Path("before");
        before.Description = "VOLUME/PATH@VERSION or @TIME: the older side.";
        Argument<string?> after = new("after")
        {
            Description = "The newer side, of this or another file; without it, the file as it is now.",
            HelpName = "VOLUME/PATH[@VERSION]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Command command = new ManualCommand(
            "diff",
            "Show what changed between two versions of a text, as a unified diff.",
            "Of contents that are no text (a NUL in them, or longer than 4 MiB) it only says that they differ. Exit "
            + "code 3 when they differ; with --quiet nothing is printed. The output can be given to patch.",
            "cairn diff notes/todo.txt@4f1c",
            "cairn diff notes/todo.txt@2026-11-20T10:00 notes/todo.txt@4f1c",
            "cairn diff notes/todo.txt notes/old.txt") { before, after };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string oldName = parsed.GetValue(before)!;
            string newName = parsed.GetValue(after) ?? Present(PastPath.ParsePast(oldName));
            byte[] old = await Read(context, oldName, cancellation);
            byte[] now = await Read(context, newName, cancellation);
            return await Print(context, oldName, old, newName, now);
        });
        return command;
    }

    private static string Present(PastPath older) => $"{older.Volume}/{older.Path}";

    private static async Task<int> Print(
        CommandContext context, string oldName, byte[] old, string newName, byte[] now)
    {
        if (old.AsSpan().SequenceEqual(now))
        {
            return ExitCode.Ok;
        }

        if (TextLines.IsText(old) && TextLines.IsText(now))
        {
            byte[] diff = UnifiedDiff.Of(oldName, old, newName, now);
            if (!context.Quiet)
            {
                await using Stream output = Console.OpenStandardOutput();
                await output.WriteAsync(diff);
            }
        }
        else
        {
            context.Say($"{oldName} and {newName} differ and are not both text.");
        }

        return ExitCode.NotSafe;
    }

    private static async Task<byte[]> Read(CommandContext context, string place, CancellationToken cancellation)
    {
        (HttpResponseMessage answer, _) = await PastContent.Ask(context, place, cancellation);
        using HttpResponseMessage response = answer;
        return await response.Content.ReadAsByteArrayAsync(cancellation);
    }
}
