using System.IO.Pipes;
using Cairn.Cli.Output;
using Microsoft.AspNetCore.Http;

namespace Cairn.Cli.Tests.Commands;

/// <summary>Files into a volume and out of it, against a daemon that answers as the test says.</summary>
public sealed class TransferCommandsTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);   // below what a process is given to end

    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-transfer-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>"photo@2000" reads as a version of "photo": a file that is really called so must not replace that one.</summary>
    [Theory]
    [InlineData("/v1/files/content", "photo@2000")]
    [InlineData("/v1/history/content", "photo")]
    public async Task What_is_fetched_has_its_own_name_here(string route, string name)
    {
        await using AnsweringDaemon daemon = await AnsweringDaemon.Start(context =>
        {
            bool isThere = context.Request.Path == route;
            context.Response.StatusCode = isThere ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
            return context.Response.WriteAsync("bytes", Cancellation);
        });
        Assert.Equal(ExitCode.Ok, await daemon.Run(Cancellation, "get", "v/2026/photo@2000", _folder));
        Assert.Equal([Path.Combine(_folder, name)], Directory.GetFiles(_folder));
    }

    /// <summary>With "@VERSION" behind it the name is longer than names can be: nothing is called so, and the past is meant.</summary>
    [Fact]
    public async Task A_past_version_of_a_file_with_a_long_name_is_fetched()
    {
        await using AnsweringDaemon daemon = await AnsweringDaemon.Start(context =>
        {
            bool isPast = context.Request.Path == "/v1/history/content";
            context.Response.StatusCode = isPast ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest;
            return context.Response.WriteAsync("bytes", Cancellation);
        });
        string name = new('x', 250);
        Assert.Equal(ExitCode.Ok, await daemon.Run(Cancellation, "get", $"v/{name}@1a2b3c4d", _folder));
        Assert.Equal([Path.Combine(_folder, name)], Directory.GetFiles(_folder));
        Assert.Equal(ExitCode.Usage, await daemon.Run(Cancellation, "get", "v/short@1a2b3c4d", _folder));
    }

    /// <summary>As in <c>cairn put &lt;(COMMAND) VOLUME/PATH</c>.</summary>
    [Fact]
    public async Task A_pipe_can_be_put()
    {
        string came = string.Empty;
        await using AnsweringDaemon daemon = await AnsweringDaemon.Start(async context =>
        {
            using StreamReader body = new(context.Request.Body);
            came = context.Request.QueryString + " " + await body.ReadToEndAsync(Cancellation);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        });
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        Task<int> put = daemon.Run(Cancellation, "put", $"/proc/self/fd/{pipe.GetClientHandleAsString()}", "v/piped");
        await pipe.WriteAsync("through a pipe"u8.ToArray(), Cancellation);
        pipe.DisposeLocalCopyOfClientHandle();
        await pipe.DisposeAsync();
        Assert.Equal(ExitCode.Ok, await put.WaitAsync(Deadline, Cancellation));
        Assert.Equal("?volume=v&path=piped through a pipe", came);
    }

    /// <summary>Reading from somebody who does not write cannot be broken off; the command can.</summary>
    [Fact]
    public async Task Putting_a_pipe_that_gives_nothing_ends_when_it_is_interrupted()
    {
        TaskCompletionSource asked = new();
        await using AnsweringDaemon daemon = await AnsweringDaemon.Start(async context =>
        {
            asked.TrySetResult();
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        });
        using AnonymousPipeServerStream pipe = new(PipeDirection.Out);
        using CancellationTokenSource interrupt = new();
        Task<int> put = daemon.Run(
            interrupt.Token, "put", $"/proc/self/fd/{pipe.GetClientHandleAsString()}", "v/piped");
        await pipe.WriteAsync(new byte[2 << 20], Cancellation);   // more than the client keeps back
        await asked.Task.WaitAsync(Deadline, Cancellation);
        await interrupt.CancelAsync();
        Assert.Equal(ExitCode.Interrupted, await put.WaitAsync(Deadline, Cancellation));
    }
}
