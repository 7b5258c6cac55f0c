using System.Diagnostics;
using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>Runs <c>cairn</c> on a pseudo-terminal and types when it asks.</summary>
internal static class Terminal
{
    /// <summary>How it ended, and everything that was on the screen.</summary>
    public sealed record Outcome(int ExitCode, string Screen);

    /// <summary>As below, for commands that are quick.</summary>
    public static Task<Outcome> Run(
        string home, string[] arguments, params (string Question, string Typed)[] dialog) =>
        Run(home, arguments, seconds: 30, dialog);

    /// <summary>Types each text when its question has appeared, in order, and waits for the end.</summary>
    public static async Task<Outcome> Run(
        string home, string[] arguments, double seconds, params (string Question, string Typed)[] dialog)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "there is no script(1) here to make a terminal with");
        ProcessStartInfo inner = CairnProcess.StartInfo(home, arguments);
        // exec: a shell that stayed in between (dash does) would die of the Ctrl-C that is meant for the program.
        IEnumerable<string> words = inner.ArgumentList.Prepend(inner.FileName);
        string line = "exec " + string.Join(' ', words.Select(word => $"'{word}'"));
        ProcessStartInfo start = new("script", ["-q", "-e", "-c", line, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["CAIRN_HOME"] = home;
        start.Environment["TERM"] = "xterm";
        using Process process = Process.Start(start)!;
        using CancellationTokenSource patience =
            CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(seconds));
        string screen = string.Empty;
        try
        {
            char[] buffer = new char[4096];
            int answered = 0;
            int seen = 0;
            for (int count; (count = await process.StandardOutput.ReadAsync(buffer, patience.Token)) > 0;)
            {
                screen += new string(buffer, 0, count);
                while (answered < dialog.Length
                    && screen.IndexOf(dialog[answered].Question, seen, StringComparison.Ordinal) is >= 0 and var at)
                {
                    (string question, string typed) = dialog[answered++];
                    seen = at + question.Length;
                    await process.StandardInput.WriteAsync(typed.AsMemory(), patience.Token);
                    await process.StandardInput.FlushAsync(patience.Token);
                }
            }

            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"not done after {seconds} s; on the screen:\n" + screen);
        }

        return new Outcome(process.ExitCode, screen);
    }
}
