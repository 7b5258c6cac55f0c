using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Io.Entropy;
using Cairn.Io.Identity;
using Cairn.Io.Index;
using Cairn.Io.Loop;
using Cairn.Io.Transport;
using Cairn.Node;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Ports;

namespace Cairn.Cli.Daemon;

/// <summary>The real world of one node: its disk, keys, network, loop and clock, wired for the engine.</summary>
public sealed class NodeWorld : IAsyncDisposable
{
    private readonly FileIdentity _identity;
    private bool _transportTaken;

    private NodeWorld(EngineLoop loop, FileIdentity identity, NodePorts ports, NodeOptions options)
    {
        Loop = loop;
        _identity = identity;
        Ports = ports;
        Options = options;
    }

    /// <summary>Told what escaped from a loop; called on the engine's loop.</summary>
    public Action<LoopFailure>? Failed { get; set; }

    /// <summary>The engine's loop.</summary>
    public EngineLoop Loop { get; }

    /// <summary>What the engine gets.</summary>
    public NodePorts Ports { get; }

    /// <summary>How the engine behaves.</summary>
    public NodeOptions Options { get; }

    /// <summary>Opens a home's world.</summary>
    /// <param name="home">The home; made if absent.</param>
    /// <param name="config">Its settings.</param>
    /// <param name="identity">Its key, which this takes over.</param>
    /// <exception cref="CommandException">Something of it cannot be used; the message says what and what to do.</exception>
    public static NodeWorld Open(string home, HomeConfig config, FileIdentity identity)
    {
        NodeOptions options = TrialHistory.Apply(Tune(config));
        RealDisk disk = Must(RealDisk.OpenRoot(HomeFolder.Store(home)));
        NodeWorld? world = null;
        EngineLoop loop = new(failure =>
        {
            Console.Error.WriteLine($"cairn: {failure.Name}: {failure.Exception}");
            world?.Failed?.Invoke(failure);
        });
        TransportOptions transport = new()
        {
            Listen = ListenAddress.Parse(config.Listen),
            AnnouncePort = config.Announce ? new TransportOptions().AnnouncePort : null,
        };
        if (!TlsTransport.Listen(transport, identity).TryGet(out TlsTransport? listening, out TransportError error))
        {
            loop.Dispose();
            identity.Dispose();
            throw new CommandException(
                $"{error.Detail}. If another program has the port, stop it or take another one: --listen with 'init' "
                + $"and 'join', \"listen\" in {HomeFolder.Config(home)} later.");
        }

        string indexes = HomeFolder.Index(home);
        Directory.CreateDirectory(indexes);
        NodePorts ports = new()
        {
            Disk = disk,
            Transport = listening,
            Entropy = new SystemEntropy(),
            Time = new LoopTimeProvider(loop),
            Workers = loop,
            Identity = identity,
            OpenIndex = name => new SqliteIndexStore(Path.Combine(indexes, name + ".db")),
            KeepSpace = bytes => KeepSpace(home, bytes),
        };
        return world = new NodeWorld(loop, identity, ports, options);
    }

    /// <summary>Looks at settings, and touches nothing.</summary>
    /// <exception cref="CommandException">One of them makes no sense.</exception>
    public static void Check(HomeConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _ = Tune(config);
        _ = ListenAddress.Parse(config.Listen);
    }

    /// <summary>The node owns the transport from now on.</summary>
    public void GiveTransport() => _transportTaken = true;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_transportTaken)
        {
            await Ports.Transport.DisposeAsync();
        }

        Loop.Dispose();
        _identity.Dispose();
    }

    private static NodeOptions Tune(HomeConfig config)
    {
        NodeOptions options = new()
        {
            Name = config.Name,
            SpaceBytes = config.SpaceBytes,
            Zone = config.Zone,
            StaticPeers = [.. config.Peers.Select(text => Address("peers", text))],
            AnnouncedAddresses = [.. config.Addresses.Select(text => Address("addresses", text))],
            Announce = config.Announce,
            RepairGrace = TimeSpan.FromSeconds(config.RepairGraceSeconds),
            Horizon = TimeSpan.FromDays(config.HorizonDays),
            ReadWait = TimeSpan.FromSeconds(config.WaitReadsSeconds),
        };
        IReadOnlyList<string> problems = options.Validate();
        return problems.Count == 0 ? options : throw new CommandException(string.Join("; ", problems));
    }

    private static Result<Unit, StoreError> KeepSpace(string home, long bytes) =>
        HomeConfig.TryChange(home, config => config with { SpaceBytes = bytes }) is { } lost
            ? new StoreError(StoreErrorKind.InputOutput, HomeFolder.Config(home), lost)
            : Unit.Value;

    private static NodeAddress Address(string setting, string text) =>
        NodeAddress.TryParse(text, out NodeAddress address)
            ? address
            : throw new CommandException(
                $"\"{setting}\": '{text}' is not an address and port, such as desk.example.org:7866");

    private static RealDisk Must(Result<RealDisk, DiskError> opened) =>
        opened.TryGet(out RealDisk? disk, out DiskError error) ? disk : throw new CommandException(error.ToString());
}
