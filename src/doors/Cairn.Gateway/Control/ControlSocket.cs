using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cairn.Gateway.Control;

/// <summary>A web server on a Unix socket, bare: the control servers of an open and of a locked node add their routes.</summary>
internal static class ControlSocket
{
    /// <summary>How long an answer may take once the daemon ends; streams of progress are broken off then.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Makes the server; it listens once started.</summary>
    /// <param name="socketPath">At most 107 bytes; a socket left by a dead daemon is replaced by the caller.</param>
    /// <param name="stop">Asks the daemon to stop.</param>
    public static WebApplication Make(string socketPath, Action stop)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = null;
            options.ListenUnixSocket(socketPath, listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddRoutingCore();
        WebApplication app = builder.Build();
        app.UseRouting();
        Route.Get(app, "/v1/ping", _ => Task.FromResult(Results.Text("cairn")));
        Route.Post(app, "/v1/stop", _ =>
        {
            stop();
            return Task.FromResult(Results.Accepted());
        });
        return app;
    }

    /// <summary>Ends it. Requests that are being answered are answered first, such as the one that asked for the end.</summary>
    public static async ValueTask Stop(WebApplication app)
    {
        using CancellationTokenSource patience = new(Patience);
        await app.StopAsync(patience.Token);
        await app.DisposeAsync();
    }
}
