using Cairn.Node.Control;
using Cairn.Node.Ports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

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
    public static async Task<ControlServer> Start(
        string socketPath, ControlServices services, CancellationToken cancellation)
    {
        WebApplication app = ControlSocket.Make(socketPath, services.Stop);
        EngineCalls engine = new(services.Workers);
        NodeRoutes.Map(app, services.Node, services.Mounts, engine);
        OfflineRoutes.Map(app, services.Node, engine);
        MountRoutes.Map(app, services.Mounts);
        FileRoutes.Map(app, services.Node, engine);
        BrakeRoutes.Map(app, services.Node, engine);
        PresenceRoutes.Map(app, services.Node, engine);
        HistoryRoutes.Map(app, services.Node, engine);
        RuleRoutes.Map(app, services.Node, engine);
        SnapshotRoutes.Map(app, services.Node, engine);
        ChangeRoutes.Map(app, services.Node, engine);

        // The locked node's only route: whoever comes second finds it open already.
        Route.Post(app, "/v1/unlock", _ => Task.FromResult(Results.NoContent()));
        await app.StartAsync(cancellation);
        return new ControlServer(app);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ControlSocket.Stop(_app);
}
