using System.Collections.Immutable;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Io.Entropy;
using Cairn.Io.Identity;
using Cairn.Io.Index;
using Cairn.Io.Loop;
using Cairn.Io.Tests.Transport;
using Cairn.Io.Transport;
using Cairn.Node;
using Cairn.Node.Control;
using Cairn.Node.Engine;
using Cairn.Node.Pool;
using Cairn.Storage;

namespace Cairn.Io.Tests.Peers;

/// <summary>A machine on loopback with everything real: disk, keys, TLS, loop. It runs a node, or only has what one needs.</summary>
internal sealed class LiveNode : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<LoopFailure> _failures = [];
    private CairnNode? _node;

    public LiveNode(string name, long tableFrom = long.MaxValue)
    {
        Options = new NodeOptions { Name = name, SpaceBytes = 128L << 20, Announce = false, TableFrom = tableFrom };
        Loop = new EngineLoop(_failures.Add);
        Transport = TlsTransport.Listen(TransportPair.Loopback, Identity).Value;
        Directory.CreateDirectory(_folder["index"]);
        Ports = new NodePorts
        {
            Disk = RealDisk.OpenRoot(_folder["store"]).Value,
            Transport = Transport,
            Entropy = new SystemEntropy(),
            Time = new LoopTimeProvider(Loop),
            Workers = Loop,
            Identity = Identity,
            OpenIndex = index => new SqliteIndexStore(Path.Join(_folder["index"], index + ".db")),
        };
    }

    public FileIdentity Identity { get; } = FileIdentity.Generate();

    public NodeOptions Options { get; }

    public NodePorts Ports { get; }

    public TlsTransport Transport { get; }

    public EngineLoop Loop { get; }

    public IReadOnlyList<LoopFailure> Failures => _failures;

    public CairnNode Node => _node ?? throw new InvalidOperationException("not started");

    /// <summary>This machine's node record, as a hello carries it.</summary>
    public ReadOnlyMemory<byte> Record
    {
        get
        {
            NodeRecord record = new()
            {
                Node = Identity.Node,
                PublicKey = [.. Identity.PublicKey.Span],
                Counter = 1,
                Name = Options.Name,
                Addresses = [NodeAddress.From(Transport.ListenAddress)],
                Tags = ImmutableArray<string>.Empty,
            };
            byte[] signature = new byte[Signatures.Size];
            Identity.Sign(NodeRecordCodec.BytesToSign(record), signature);
            return NodeRecordCodec.Seal(record, signature).Bytes;
        }
    }

    /// <summary>Founds a pool on this machine and runs its node.</summary>
    public async Task Found()
    {
        Result<FoundedPool, ControlError> founded =
            await Loop.Call(() => Task.FromResult(Founding.Found(Ports, Options)));
        Assert.True(founded.IsOk, founded.ToString());
        await Run();
    }

    /// <summary>Runs the node of a machine that belongs to a pool.</summary>
    public async Task Run()
    {
        Result<CairnNode, ControlError> opened =
            await Loop.Call(() => Task.FromResult(CairnNode.Open(Ports, Options, OpenVolumes)));
        Assert.True(opened.IsOk, opened.ToString());
        _node = opened.Value;
        await Loop.Call(() =>
        {
            _node.Start();
            return Task.FromResult(0);
        });
    }

    /// <summary>Becomes a member of another machine's pool, without running a node.</summary>
    public async Task Join(LiveNode host)
    {
        Result<InviteTicket, ControlError> ticket =
            await host.Loop.Call(() => host.Node.Invite(default, default).AsTask());
        Result<JoinedPool, ControlError> joined =
            await Loop.Call(() => Founding.Join(Ports, Options, ticket.Value.Code, default));
        Assert.True(joined.IsOk, joined.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await Loop.Call(async () =>
            {
                await _node.DisposeAsync();
                return 0;
            });
        }

        await Transport.DisposeAsync();
        Loop.Dispose();
        Identity.Dispose();
        _folder.Dispose();
    }

    private static Result<IVolumeFactory, StoreError> OpenVolumes(NodeStores stores) => EngineVolumes.Open(stores);
}
