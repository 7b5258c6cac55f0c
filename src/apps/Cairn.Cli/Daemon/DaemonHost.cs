using Cairn.Core.Primitives;
using Cairn.Gateway.Control;
using Cairn.Io.Host;
using Cairn.Node;
using Cairn.Node.Control;
using Cairn.Node.Engine;
using Cairn.Storage;

namespace Cairn.Cli.Daemon;

/// <summary>Runs one node: the engine, its control socket and its drives, until it is told to stop.</summary>
public static class DaemonHost
{
    /// <summary>Runs to the end.</summary>
    /// <param name="home">The node's home.</param>
    /// <param name="announce">Whether to announce by multicast, if the settings do not say no.</param>
    /// <param name="passphrase">Of a locked node.</param>
    /// <exception cref="CommandException">The node cannot run; the message says why.</exception>
    public static async Task Run(string home, bool announce, string? passphrase, CancellationToken cancellation)
    {
        HomeConfig config = HomeConfig.Load(home);
        config = config with { Announce = config.Announce && announce };
        using StopSignals signals = new();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, signals.Token);
        await using NodeWorld world = NodeWorld.Open(home, config, passphrase, makeKeys: false);
        CairnNode node = await Open(world);
        try
        {
            await Serve(home, config, world, node, stop);
        }
        finally
        {
            await world.Loop.Call(async () =>
            {
                await node.DisposeAsync();
                return true;
            });
        }
    }

    private static async Task<CairnNode> Open(NodeWorld world)
    {
        Result<CairnNode, ControlError> opened = await world.Loop.Call(() =>
        {
            Result<CairnNode, ControlError> node = CairnNode.Open(world.Ports, world.Options, stores =>
                EngineVolumes.Open(stores).TryGet(out EngineVolumes? volumes, out StoreError error)
                    ? volumes
                    : throw new CommandException(error.ToString()));
            if (node.IsOk)
            {
                node.Value.Start();
            }

            return Task.FromResult(node);
        });
        if (!opened.TryGet(out CairnNode? running, out ControlError refused))
        {
            throw new CommandException(refused.Message);
        }

        world.GiveTransport();
        return running;
    }

    private static async Task Serve(
        string home, HomeConfig config, NodeWorld world, CairnNode node, CancellationTokenSource stop)
    {
        string socket = HomeFolder.ControlSocket(home);
        Directory.CreateDirectory(Path.GetDirectoryName(socket)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        // The home's lock is held: whoever left this socket is dead.
        File.Delete(socket);
        MountManager mounts = new(home, node, world.Loop);
        ControlServices services = new() { Node = node, Mounts = mounts, Workers = world.Loop, Stop = stop.Cancel };
        await using ControlServer server = await ControlServer.Start(socket, services, stop.Token);
        File.SetUnixFileMode(socket, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await mounts.MountRemembered(config, line => Console.Error.WriteLine("cairn: " + line), stop.Token);
        SystemdNotifier systemd = SystemdNotifier.FromEnvironment();
        systemd.Ready();
        Console.Out.WriteLine($"{config.Name} is up, listening on {world.Ports.Transport.ListenAddress}");
        try
        {
            await Task.Delay(Timeout.Infinite, stop.Token);
        }
        catch (OperationCanceledException)
        {
            // How a daemon ends.
        }

        systemd.Stopping();
        await mounts.UnmountAll();
        File.Delete(socket);
    }
}
