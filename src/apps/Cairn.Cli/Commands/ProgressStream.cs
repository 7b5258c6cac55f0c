using System.Runtime.CompilerServices;
using Cairn.Cli.Output;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Control;
using Spectre.Console;

namespace Cairn.Cli.Commands;

/// <summary>Follows a stream of steps: a progress bar for people, a JSON line a step for scripts.</summary>
public static class ProgressStream
{
    /// <summary>Follows to the end, or until <paramref name="timeout"/>.</summary>
    /// <returns><see cref="ExitCode.Ok"/> when the last step says it is done, else <see cref="ExitCode.NotSafe"/>.</returns>
    public static async Task<int> Follow(
        CommandContext context, IAsyncEnumerable<ProgressLine> steps, TimeSpan? timeout, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (timeout is { } limit)
        {
            patience.CancelAfter(limit);
        }

        SafetyProgress? last = null;
        try
        {
            IAsyncEnumerable<ProgressLine> seen = Noting(steps, step => last = step, patience.Token);
            await (context.ShowsProgress ? Draw(seen) : Print(context, seen));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            string why = last is { Sentence: { Length: > 0 } sentence } ? ": " + sentence : string.Empty;
            await Console.Error.WriteLineAsync(
                "cairn: still not done after " + DurationText.Format(timeout!.Value) + why);
            return ExitCode.NotSafe;
        }

        if (last is { } done)
        {
            context.Say(done.Sentence);
        }

        return last is { IsSafe: true } ? ExitCode.Ok : ExitCode.NotSafe;
    }

    private static async IAsyncEnumerable<ProgressLine> Noting(
        IAsyncEnumerable<ProgressLine> steps, Action<SafetyProgress> note,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (ProgressLine line in steps.WithCancellation(cancellation))
        {
            note(Step(line));
            yield return line;
        }
    }

    private static async Task Print(CommandContext context, IAsyncEnumerable<ProgressLine> steps)
    {
        await foreach (ProgressLine line in steps)
        {
            if (context.Json)
            {
                await context.PrintJson(line, ControlJson.Default.ProgressLine);
            }
        }
    }

    private static Task Draw(IAsyncEnumerable<ProgressLine> steps) =>
        ProgressBars.On(Console.Error).StartAsync(async drawn =>
            {
                ProgressTask bar = drawn.AddTask("asking", maxValue: 1);
                await foreach (ProgressLine line in steps)
                {
                    SafetyProgress step = Step(line);
                    bar.MaxValue = Math.Max(1, step.BytesTotal);
                    bar.Value = step.IsSafe ? bar.MaxValue : Math.Min(step.BytesSafe, bar.MaxValue);
                    string part = $"{SizeText.Format(step.BytesSafe)} of {SizeText.Format(step.BytesTotal)} safe.";
                    bar.Description = Markup.Escape($"{part} {step.Sentence}");
                }
            });

    private static SafetyProgress Step(ProgressLine line) =>
        line.Progress ?? throw new CommandException(line.Error ?? "the daemon ended the stream without a word")
        {
            Exit = line.ErrorKind == ControlErrorKind.InvalidArgument ? ExitCode.Usage
                : line.ErrorKind == ControlErrorKind.NotFound ? ExitCode.NotFound
                : line.ErrorKind == ControlErrorKind.Locked ? ExitCode.Locked
                : ExitCode.Failed,
        };
}
