using System.Collections.Immutable;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Home;

namespace Cairn.Node.Pool;

/// <summary>This node's own signed record: what it gives and where it listens, with a counter that never goes back.</summary>
/// <remarks>Invariant: a record is in the home before anybody sees it. Thread: the engine's loop.</remarks>
internal sealed class OwnRecord
{
    private const string FileName = "record";
    private readonly NodePorts _ports;
    private readonly NodeOptions _options;

    /// <summary>Takes up the counter that the home remembers.</summary>
    /// <param name="ports">The machine.</param>
    /// <param name="options">What the node says of itself.</param>
    /// <param name="capacityBytes">What it gives.</param>
    /// <param name="remembered">Members' records when this node last looked, its own among them.</param>
    public OwnRecord(
        NodePorts ports, NodeOptions options, long capacityBytes, IEnumerable<SignedNodeRecord> remembered)
    {
        _ports = ports;
        ulong counter = remembered.Where(record => record.Record.Node == ports.Identity.Node)
            .Select(static record => record.Record.Counter).DefaultIfEmpty().Max();
        _options = options;
        NodeState state = NodeState.Online;
        if (SmallFile.Read(ports.Disk, FileName, NodeRecordCodec.BytesMax + 64).TryGet(out byte[]? bytes, out _) && bytes is not null
            && NodeRecordCodec.Decode(bytes, ports.CheckSignature).TryGet(out SignedNodeRecord? kept, out _))
        {
            counter = Math.Max(counter, kept.Record.Counter);

            // Who left the pool has left it, though its daemon be started again.
            state = kept.Record.State == NodeState.Gone ? NodeState.Gone : state;
        }

        Current = Sign(Make(ports, options, capacityBytes) with { Counter = counter + 1, State = state });
    }

    /// <summary>The newest one.</summary>
    public SignedNodeRecord Current { get; private set; }

    /// <summary>Whether this node has left the pool, for ever. Any thread.</summary>
    public bool HasLeft => Current.Record.State == NodeState.Gone;

    /// <summary>Where this node is found now; the record has what it was when it was signed.</summary>
    public ImmutableArray<NodeAddress> AddressesNow => AddressesOf(_ports.Transport, _options);

    /// <summary>Signs a changed record with the next counter, after the one that <paramref name="change"/> gave it, and keeps it.</summary>
    public Result<SignedNodeRecord, StoreError> Change(Func<NodeRecord, NodeRecord> change)
    {
        NodeRecord next = change(Current.Record);
        SignedNodeRecord signed = Sign(next with
        {
            Counter = next.Counter + 1,
            Claimed = WallTime.From(_ports.Time.GetUtcNow()),
        });
        Result<Unit, StoreError> saved = SmallFile.Write(_ports.Disk, FileName, signed.Bytes.Span);
        if (!saved.TryGet(out _, out StoreError error))
        {
            return error;
        }

        Current = signed;
        return signed;
    }

    /// <summary>Keeps the first record of this run.</summary>
    public Result<Unit, StoreError> Save() => SmallFile.Write(_ports.Disk, FileName, Current.Bytes.Span);

    private static NodeRecord Make(NodePorts ports, NodeOptions options, long capacityBytes) => new()
    {
        Node = ports.Identity.Node,
        PublicKey = [.. ports.Identity.PublicKey.Span],
        Counter = 1,
        Name = options.Name,
        Addresses = AddressesOf(ports.Transport, options),
        CapacityBytes = capacityBytes,
        Zone = options.Zone,
        Tags = NodeRecord.SortTags(options.Tags),
        State = NodeState.Online,
        ProtocolMin = ProtocolVersion.Min,
        ProtocolMax = ProtocolVersion.Max,
        Program = "cairn",
        Claimed = WallTime.From(ports.Time.GetUtcNow()),
    };

    /// <summary>Where the owner says, else where the transport is found now: a laptop moves from network to network.</summary>
    private static ImmutableArray<NodeAddress> AddressesOf(ITransport transport, NodeOptions options) =>
        options.AnnouncedAddresses.Count > 0
            ? [.. options.AnnouncedAddresses.Take(NodeRecord.AddressesMax)]
            : [.. transport.OwnAddresses.Select(NodeAddress.From).Take(NodeRecord.AddressesMax)];

    private SignedNodeRecord Sign(NodeRecord record)
    {
        byte[] signature = new byte[Signatures.Size];
        _ports.Identity.Sign(NodeRecordCodec.BytesToSign(record), signature);
        return NodeRecordCodec.Seal(record, signature);
    }
}
