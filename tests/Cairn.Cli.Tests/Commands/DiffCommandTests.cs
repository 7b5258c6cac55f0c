using Cairn.Cli.Output;

namespace Cairn.Cli.Tests.Commands;

/// <summary>Comparing contents of any length, against a daemon that answers as the test says.</summary>
public sealed class DiffCommandTests
{
    private const int Large = 9 << 20;   // more than two texts may have

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Content that never ends would fill any memory it was read into.</summary>
    [Fact]
    public async Task Contents_that_are_no_text_are_read_no_further_than_to_the_first_difference()
    {
        await using AnsweringDaemon daemon = await AnsweringDaemon.Start(async context =>
        {
            byte[] step = new byte[1 << 20];
            Array.Fill(step, (byte)context.Request.Query["path"].ToString()[0]);
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(step, context.RequestAborted);
            }
        });
        Assert.Equal(ExitCode.NotSafe, await Diff(daemon));
    }

    [Theory]
    [InlineData(100, false, ExitCode.Ok)]
    [InlineData(100, true, ExitCode.NotSafe)]
    [InlineData(Large, false, ExitCode.Ok)]
    [InlineData(Large, true, ExitCode.NotSafe)]
    public async Task Contents_of_any_length_are_compared_to_the_end(int length, bool endsOtherwise, int exit)
    {
        await using AnsweringDaemon daemon = await AnsweringDaemon.Start(async context =>
        {
            byte[] content = new byte[length];
            Array.Fill(content, (byte)'x');
            content[^1] = (byte)(endsOtherwise ? context.Request.Query["path"].ToString()[0] : 'x');
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
        });
        Assert.Equal(exit, await Diff(daemon));
    }

    private static Task<int> Diff(AnsweringDaemon daemon) =>
        daemon.Run(Cancellation, "diff", "v/a", "v/b", "--quiet").WaitAsync(Deadline, Cancellation);
}
