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
            return await Compare(context, oldName, newName, cancellation);
        });
        return command;
    }

    private static string Present(PastPath older) => $"{older.Volume}/{older.Path}";

    private static async Task<int> Compare(
        CommandContext context, string oldName, string newName, CancellationToken cancellation)
    {
        using DiffSide old = await DiffSide.Open(context, oldName, cancellation);
        using DiffSide now = await DiffSide.Open(context, newName, cancellation);
        bool areEqual = true;
        while (areEqual || (old.IsText && now.IsText))
        {
            ReadOnlyMemory<byte> before = await old.Next(cancellation);
            ReadOnlyMemory<byte> after = await now.Next(cancellation);
            areEqual &= before.Span.SequenceEqual(after.Span);
            if (before.IsEmpty && after.IsEmpty)
            {
                break;
            }
        }

        if (areEqual)
        {
            return ExitCode.Ok;
        }

        if (!old.IsText || !now.IsText)
        {
            context.Say($"{oldName} and {newName} differ and are not both text.");
        }
        else if (!context.Quiet)
        {
            byte[] diff = UnifiedDiff.Of(oldName, old.Text, newName, now.Text);
            await using Stream output = Console.OpenStandardOutput();
            await output.WriteAsync(diff, cancellation);
        }

        return ExitCode.NotSafe;
    }
}
