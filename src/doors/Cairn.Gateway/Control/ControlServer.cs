using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Ports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cairn.Gateway.Control;

/// <summary>What the control server serves.</summary>
public sealed record ControlServices
{
    /// <summary>The node.</summary>
    public required INodeControl Node { get; init; }

    /// <summary>The drives.</summary>
    public required IMountControl Mounts { get; init; }

    /// <summary>The engine's loop, on which <see cref="Node"/> is called.</summary>
    public required IWorkers Workers { get; init; }

    /// <summary>Asks the daemon to stop.</summary>
    public required Action Stop { get; init; }
}

/// <summary>HTTP over a Unix socket that only the owner of the home can open: what the <c>cairn</c> commands speak.</summary>
/// <remarks>Routes are listed in docs/operations/control-api.md.</remarks>
public sealed class ControlServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ControlServer(WebApplication app) => _app = app;

    /// <summary>Listens; returns when requests are served.</summary>
    /// <param name="socketPath">At most 107 bytes; a socket left by a dead daemon is replaced by the caller.</param>
    public static async Task<ControlServer> Start(string socketPath, ControlServices services, CancellationToken cancellation)
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
        EngineCalls engine = new(services.Workers);
        NodeRoutes.Map(app, services.Node, engine);
        MountRoutes.Map(app, services.Mounts);
        FileRoutes.Map(app, services.Node, engine);
        Route.Get(app, "/v1/ping", _ => Task.FromResult(Results.Text("cairn")));
        Route.Post(app, "/v1/stop", _ =>
        {
            services.Stop();
            return Task.FromResult(Results.Accepted());
        });
        await app.StartAsync(cancellation);
        return new ControlServer(app);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}

/// <summary>Maps a route to a function of the request: no reflection over parameters, so the daemon starts quickly.</summary>
internal static class Route
{
    public static void Get(WebApplication app, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        Map(app, HttpMethods.Get, pattern, handle);

    public static void Post(WebApplication app, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        Map(app, HttpMethods.Post, pattern, handle);

    public static void Put(WebApplication app, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        Map(app, HttpMethods.Put, pattern, handle);

    public static void Delete(WebApplication app, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        Map(app, HttpMethods.Delete, pattern, handle);

    /// <summary>A query parameter that must be there; its absence is answered with 400.</summary>
    public static Result<string, ControlError> Required(HttpContext context, string name) =>
        context.Request.Query[name] is [{ Length: > 0 } value]
            ? value
            : new ControlError(ControlErrorKind.InvalidArgument, $"the parameter '{name}' is missing");

    /// <summary>Whether a query parameter says true.</summary>
    public static bool Flag(HttpContext context, string name) => context.Request.Query[name] == "true";

    private static void Map(WebApplication app, string method, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        app.MapMethods(pattern, [method], async context =>
        {
            IResult result = await handle(context);
            await result.ExecuteAsync(context);
        });
}
