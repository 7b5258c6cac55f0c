using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>The control socket of a node whose keys are sealed: it takes the passphrase, and refuses everything else.</summary>
public sealed class LockedServer : IAsyncDisposable
{
    private const int PassphraseCharactersMax = 4096;

    private static readonly ControlError Locked = new(
        ControlErrorKind.Locked, "Locked: this node's keys are sealed with a passphrase. Run 'cairn unlock'.");

    private readonly WebApplication _app;

    private LockedServer(WebApplication app) => _app = app;

    /// <summary>Listens; returns when requests are served.</summary>
    /// <param name="socketPath">As for <see cref="ControlServer.Start"/>.</param>
    /// <param name="unlock">
    /// Opens the node with a passphrase; the request is answered with its outcome, so whoever asks for the node afterwards
    /// finds it open. Several requests may come at once.
    /// </param>
    /// <param name="stop">Asks the daemon to stop.</param>
    /// <param name="cancellation">Of the start.</param>
    public static async Task<LockedServer> Start(
        string socketPath,
        Func<string, Task<Result<Unit, ControlError>>> unlock,
        Action stop,
        CancellationToken cancellation)
    {
        WebApplication app = ControlSocket.Make(socketPath, stop);
        Route.Post(app, "/v1/unlock", async context => await ReadPassphrase(context) is { } passphrase
            ? ControlReplies.Of(await unlock(passphrase))
            : ControlReplies.Refuse(new ControlError(ControlErrorKind.InvalidArgument, "a passphrase is needed")));
        app.MapFallback("{*path}", context => ControlReplies.Refuse(Locked).ExecuteAsync(context));
        await app.StartAsync(cancellation);
        return new LockedServer(app);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ControlSocket.Stop(_app);

    /// <summary>The request's body as text; null when it is empty or longer than any passphrase.</summary>
    private static async Task<string?> ReadPassphrase(HttpContext context)
    {
        char[] text = new char[PassphraseCharactersMax + 1];
        using StreamReader body = new(context.Request.Body, Encoding.UTF8);
        int length = await body.ReadBlockAsync(text, context.RequestAborted);
        return length is > 0 and <= PassphraseCharactersMax ? new string(text, 0, length) : null;
    }
}
