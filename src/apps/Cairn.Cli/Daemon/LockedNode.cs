using Cairn.Cli.Output;
using Cairn.Core.Primitives;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Daemon;

/// <summary>A daemon whose node is locked: it answers on its control socket until somebody gives it the passphrase.</summary>
public static class LockedNode
{
    /// <summary>Waits for <c>cairn unlock</c> and opens the node with what it brings.</summary>
    /// <param name="socket">The control socket.</param>
    /// <param name="ready">Called once the socket answers.</param>
    /// <param name="open">Opens the node with a passphrase; what it throws goes to the one who sent the passphrase.</param>
    /// <param name="stop">Told when <c>cairn down</c> asks for the end, and the end of the wait.</param>
    /// <returns>The node, or null when the daemon was stopped while it was locked.</returns>
    public static async Task<RunningNode?> WaitForPassphrase(
        string socket, Action ready, Func<string?, Task<RunningNode>> open, CancellationTokenSource stop)
    {
        TaskCompletionSource<RunningNode?> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using SemaphoreSlim one = new(1);

        async Task<Result<Unit, ControlError>> Unlock(string passphrase)
        {
            await one.WaitAsync(stop.Token);
            try
            {
                if (!done.Task.IsCompleted)
                {
                    done.TrySetResult(await open(passphrase));
                }

                return Unit.Value;
            }
            catch (CommandException refused) when (refused.Exit == ExitCode.Locked)
            {
                return new ControlError(ControlErrorKind.Locked, refused.Message);
            }
            catch (CommandException refused)
            {
                // The passphrase is right and the node does not open all the same: the daemon ends with that.
                done.TrySetException(refused);
                return new ControlError(ControlErrorKind.Storage, refused.Message);
            }
            finally
            {
                one.Release();
            }
        }

        await using LockedServer server = await LockedServer.Start(
            socket, Unlock, stop: () => _ = stop.CancelAsync(), stop.Token);
        ControlSocketFile.Protect(socket);
        ready();
        await using CancellationTokenRegistration stopped = stop.Token.Register(() => done.TrySetResult(null));
        return await done.Task;
    }
}
