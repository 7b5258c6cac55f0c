using System.CommandLine;
using System.Runtime.CompilerServices;
using Cairn.Cli.Commands;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Tests.Commands;

/// <summary>What <c>cairn wait</c> says when its time is over.</summary>
public sealed class ProgressStreamTests : IDisposable
{
    private readonly TextWriter _before = Console.Error;
    private readonly StringWriter _said = new();

    public ProgressStreamTests() => Console.SetError(_said);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Console.SetError(_before);

    [Fact]
    public async Task A_wait_that_runs_out_of_time_says_what_it_waited_for()
    {
        const string waitedFor = "2 of 3 files have their copies.";
        Assert.Equal(ExitCode.NotSafe, await Follow("1 of 3 files has its copies.", waitedFor));
        Assert.Equal($"cairn: still not done after 1 ms: {waitedFor}", LastSaid());
    }

    [Fact]
    public async Task A_wait_that_was_told_nothing_says_that_it_is_not_done()
    {
        Assert.Equal(ExitCode.NotSafe, await Follow());
        Assert.Equal("cairn: still not done after 1 ms", LastSaid());
    }

    /// <summary>Follows a daemon that says some sentences and then nothing more, for a moment.</summary>
    private static Task<int> Follow(params string[] sentences)
    {
        Command command = new("wait") { GlobalOptions.Home, GlobalOptions.Json, GlobalOptions.Quiet };
        CommandContext.Attach(command, (context, _, cancellation) => ProgressStream.Follow(
            context, Steps(sentences, CancellationToken.None), TimeSpan.FromMilliseconds(1), cancellation));
        return command.Parse(["--quiet"]).InvokeAsync(new InvocationConfiguration(), Cancellation);
    }

    /// <summary>All that is said comes before the end of the time, however late that is heard.</summary>
    private static async IAsyncEnumerable<ProgressLine> Steps(
        string[] sentences, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (string sentence in sentences)
        {
            yield return new ProgressLine(new SafetyProgress(3, 1, 30, 10, IsSafe: false, sentence), null, null);
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
    }

    /// <summary>Other tests may say something too.</summary>
    private string? LastSaid() => _said.ToString().Split('\n')
        .Last(line => line.StartsWith("cairn: still not done", StringComparison.Ordinal));
}
