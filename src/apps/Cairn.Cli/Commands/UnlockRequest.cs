using System.Text;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary>Hands the passphrase to a daemon that waits for it.</summary>
internal static class UnlockRequest
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns when the node is open and its commands are answered.</summary>
    /// <exception cref="CommandException">The passphrase is wrong, or the node does not open; the message says which.</exception>
    public static async Task Send(CommandContext context, string passphrase, CancellationToken cancellation)
    {
        ControlClient client = context.Client;
        using StringContent body = new(passphrase, Encoding.UTF8, "text/plain");
        using HttpResponseMessage taken = await client.Send(HttpMethod.Post, "/v1/unlock", body, cancellation);

        // The locked daemon's server has answered; for a moment nothing listens until the open node's server does.
        while (!await IsOpen(client, cancellation))
        {
            if (!HomeLock.IsTaken(context.Home))
            {
                throw new CommandException("the passphrase is right, but the daemon ended; its log says why");
            }

            await Task.Delay(LookEvery, cancellation);
        }
    }

    private static async Task<bool> IsOpen(ControlClient client, CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage open = await client.Send(HttpMethod.Get, "/v1/mounts", null, cancellation);
            return true;
        }
        catch (CommandException notYet) when (notYet.Exit is ExitCode.NoDaemon or ExitCode.Locked)
        {
            return false;
        }
        catch (HttpRequestException)
        {
            // The locked daemon's server took the connection and went before it answered.
            return false;
        }
    }
}
