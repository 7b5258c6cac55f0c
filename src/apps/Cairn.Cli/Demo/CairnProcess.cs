using System.Diagnostics;
using System.Text;

namespace Cairn.Cli.Demo;

/// <summary>Runs this same program as child processes: the demo uses nothing a user could not type.</summary>
public static class CairnProcess
{
    /// <summary>What a finished command printed and said.</summary>
    /// <param name="ExitCode">Its exit code.</param>
    /// <param name="Output">Standard output.</param>
    /// <param name="Error">Standard error.</param>
    public sealed record Outcome(int ExitCode, string Output, string Error);

    /// <summary>A start description that runs this program with a home and arguments.</summary>
    public static ProcessStartInfo StartInfo(string home, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "cairn.dll"));
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["CAIRN_HOME"] = home;
        return start;
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<Outcome> Run(string home, CancellationToken cancellation, params string[] arguments)
    {
        using Process process = Process.Start(StartInfo(home, arguments))
            ?? throw new InvalidOperationException("the program did not start");
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellation);
        Task<string> error = process.StandardError.ReadToEndAsync(cancellation);
        try
        {
            await process.WaitForExitAsync(cancellation);
            return new Outcome(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    /// <summary>Runs a command that must succeed.</summary>
    /// <exception cref="DemoException">It failed; the message has its own words.</exception>
    public static async Task<string> MustRun(string home, CancellationToken cancellation, params string[] arguments)
    {
        Outcome outcome = await Run(home, cancellation, arguments);
        return outcome.ExitCode == 0
            ? outcome.Output
            : throw new DemoException(Describe(arguments, outcome));
    }

    private static string Describe(string[] arguments, Outcome outcome) =>
        new StringBuilder("cairn ").AppendJoin(' ', arguments)
            .Append(" exited with ").Append(outcome.ExitCode).AppendLine()
            .Append(outcome.Error).Append(outcome.Output).ToString();
}

/// <summary>A step of the demo did not do what it must.</summary>
public sealed class DemoException : Exception
{
    /// <summary>Creates the exception without a message.</summary>
    public DemoException()
    {
    }

    /// <summary>Creates the exception with what went wrong.</summary>
    public DemoException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with what went wrong and why.</summary>
    public DemoException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
