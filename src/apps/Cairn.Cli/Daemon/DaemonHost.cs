using Cairn.Gateway.Control;
using Cairn.Io.Host;
using Cairn.Io.Identity;
using Cairn.Storage.Home;

namespace Cairn.Cli.Daemon;

/// <summary>Runs one node: the engine, its control socket and its drives, until it is told to stop.</summary>
public static class DaemonHost
{
    /// <summary>Runs to the end. A locked node without a passphrase waits for <c>cairn unlock</c> first.</summary>
    /// <param name="home">The node's home.</param>
    /// <param name="announce">Whether to announce by multicast, if the settings do not say no.</param>
    /// <param name="passphrase">Of a locked node.</param>
    /// <param name="cancellation">Asks it to stop, as a signal does.</param>
    /// <exception cref="CommandException">The node cannot run; the message says why.</exception>
    public static async Task Run(string home, bool announce, string? passphrase, CancellationToken cancellation)
    {
        PrivateFolder.KeepAllPrivate();
        HomeConfig config = HomeConfig.Load(home);
        config = config with { Announce = config.Announce && announce };
        using HomeLayout held = HomeLock.Take(home);
        string socket = HomeFolder.ControlSocket(home);
        try
        {
            using StopSignals signals = new();
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, signals.Token);
            SystemdNotifier systemd = SystemdNotifier.FromEnvironment();
            await using RunningNode? node = await Open(home, config, passphrase, held, systemd, stop);
            if (node is not null)
            {
                await Serve(home, config, node, systemd, stop);
            }

            systemd.Stopping();
        }
        finally
        {
            File.Delete(socket);
        }
    }

    private static async Task<RunningNode?> Open(
        string home,
        HomeConfig config,
        string? passphrase,
        HomeLayout held,
        SystemdNotifier systemd,
        CancellationTokenSource stop)
    {
        async Task<RunningNode> With(string? given)
        {
            FileIdentity identity = NodeKeys.Load(home, given);

            // The node takes the home's lock itself.
            held.Dispose();
            return await RunningNode.Open(home, config, identity);
        }

        if (passphrase is not null || !NodeKeys.IsSealed(home))
        {
            return await With(passphrase);
        }

        const string advice = "Locked: run 'cairn unlock'";
        Console.Out.WriteLine($"{config.Name} is up. {advice}");
        string socket = HomeFolder.ControlSocket(home);
        ControlSocketFile.Clear(home, socket);
        return await LockedNode.WaitForPassphrase(
            socket,
            ready: () =>
            {
                systemd.Status(advice);
                systemd.Ready();
            },
            With,
            stop);
    }

    private static async Task Serve(
        string home, HomeConfig config, RunningNode node, SystemdNotifier systemd, CancellationTokenSource stop)
    {
        string socket = HomeFolder.ControlSocket(home);
        ControlSocketFile.Clear(home, socket);
        NodeWorld world = node.World;
        await using DriveMounts drives = new(
            (volume, cancellation) => new(world.Loop.Call(async () => await node.Node.Volume(volume, cancellation))),
            change => HomeConfig.TryChange(home, settings => settings with { Mounts = change(settings.Mounts) }),
            line => Console.Error.WriteLine("cairn: " + line));
        ControlServices services = new()
        {
            Node = node.Node,
            Mounts = drives,
            Workers = world.Loop,
            Stop = () => _ = stop.CancelAsync(),
        };
        await using ControlServer server = await ControlServer.Start(socket, services, stop.Token);
        ControlSocketFile.Protect(socket);
        await drives.MountAll(config.Mounts, stop.Token);
        systemd.Status($"listening on {world.Ports.Transport.ListenAddress}");
        systemd.Ready();
        Console.Out.WriteLine($"{config.Name} is up, listening on {world.Ports.Transport.ListenAddress}");
        using MemoryRest memory = new();
        using MemoryBound bound = new();
        try
        {
            await Task.Delay(Timeout.Infinite, stop.Token);
        }
        catch (OperationCanceledException)
        {
            // How a daemon ends.
        }
    }
}
