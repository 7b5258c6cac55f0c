using System.CommandLine;
using Cairn.Cli.Commands;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Cairn.Cli.Tests.Commands;

/// <summary>A home whose control socket answers as a test says: commands are run against it in this process.</summary>
internal sealed class AnsweringDaemon : IAsyncDisposable
{
    private readonly WebApplication _app;

    private AnsweringDaemon(string home, WebApplication app)
    {
        Home = home;
        _app = app;
    }

    /// <summary>The home.</summary>
    public string Home { get; }

    /// <summary>Listens.</summary>
    public static async Task<AnsweringDaemon> Start(RequestDelegate answer)
    {
        string home = Directory.CreateTempSubdirectory("cairn-answers-").FullName;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(
            options => options.ListenUnixSocket(HomeFolder.ControlSocket(home)));
        WebApplication app = builder.Build();
        app.Run(answer);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new AnsweringDaemon(home, app);
    }

    /// <summary>Runs a command, as the program does; its exit code.</summary>
    public Task<int> Run(CancellationToken cancellation, params string[] words) =>
        RootCommands.Create().Parse(["--home", Home, .. words], RootCommands.Reading)
            .InvokeAsync(new InvocationConfiguration(), cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
        Directory.Delete(Home, recursive: true);
    }
}
