using System.Buffers;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Repair;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Node.Replication;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Packs;

namespace Cairn.Node.Repair;

/// <summary>Gives up copies that placement no longer wants here, after enough others proved that they keep them.</summary>
/// <remarks>
/// A given-up copy becomes a cached one: it still serves reads and yields when space is wanted. Intents are durable before
/// anybody is asked, a batch at a time. A copy that nobody who was asked has is owed to those who should have it: they
/// compare holdings only with each other, and would never find it here. Thread: the engine's loop.
/// </remarks>
internal sealed class DropLoop : IDropEffects
{
    private const string IntentsFile = "drop-intents";
    private const int BatchMax = 512;

    private readonly List<RecordKey> _begun = [];
    private readonly List<(NodeId Node, RecordKey Key)> _asks = [];
    private readonly HashSet<RecordKey> _kept = [];
    private readonly HashSet<RecordKey> _lacked = [];
    private readonly NodePorts _ports;
    private readonly ChunkStore _store;
    private readonly PoolView _view;
    private readonly PeerSet _set;
    private readonly NodeDiary _diary;
    private readonly DropProtocol _protocol;
    private readonly StrayWalk _strays;
    private PlacementTable _placement = PlacementTable.Empty;
    private bool _isRunning;

    /// <summary>Takes up the intents that a crash left.</summary>
    public DropLoop(NodePorts ports, ChunkStore store, PoolView view, PeerSet set, NodeDiary diary, DropProtocol protocol)
    {
        _ports = ports;
        _store = store;
        _view = view;
        _set = set;
        _diary = diary;
        _protocol = protocol;
        _strays = new StrayWalk(store, view.Self);
        if (SmallFile.Read(ports.Disk, IntentsFile, 1 << 20).TryGet(out byte[]? bytes, out _) && bytes is not null)
        {
            WireReader reader = new(bytes);
            int count = reader.Count(ChunkAddress.Size);
            _protocol.Restore([.. ReadKeys(ref reader, count)]);
        }
    }

    /// <summary>Whether a chunk is condemned: it is not brought to anybody.</summary>
    public Func<ChunkAddress, bool> IsCondemned { get; init; } = static _ => false;

    /// <summary>Makes this node bring copies to those who should have them.</summary>
    public Action<IEnumerable<ChunkAddress>> Owe { get; init; } = static _ => { };

    /// <summary>One batch: finds strays, declares the intent, asks, and gives up what enough others keep.</summary>
    public async Task Run()
    {
        if (_isRunning)
        {
            return;
        }

        _isRunning = true;
        try
        {
            await RunBatch();
        }
        finally
        {
            _isRunning = false;
        }
    }

    /// <inheritdoc/>
    public void SaveIntent(RecordKey key) => _begun.Add(key);

    /// <inheritdoc/>
    public void Ask(NodeId node, RecordKey key, Bytes16 nonce) => _asks.Add((node, key));

    /// <inheritdoc/>
    public void Drop(RecordKey key)
    {
        if (_store.TryGet(key, out StoredRecord record) && record.Use == ChunkUse.Replicated)
        {
            _store.SetUse(key, ChunkUse.Cached);
        }
    }

    /// <inheritdoc/>
    public void ForgetIntent(RecordKey key)
    {
        // The file is written again, without it, at the end of the batch.
    }

    private async Task RunBatch()
    {
        if (!ReferenceEquals(_placement, _view.Placement))
        {
            _placement = _view.Placement;
            _protocol.UseTable(_placement, this);
        }

        if (_view.KeepsAll)
        {
            return;
        }

        RecordKey[] strays = _strays.Next(_placement, BatchMax);
        if (strays.Length == 0 && _protocol.Count == 0)
        {
            return;
        }

        Bytes16 nonce = new(_ports.RandomBytes(Bytes16.Size));
        _begun.Clear();
        _asks.Clear();
        _kept.Clear();
        _lacked.Clear();
        foreach (RecordKey key in strays.Concat(_protocol.Intents.ToArray()).Distinct())
        {
            _protocol.Begin(key, nonce, this);
        }

        if (!SaveIntents())
        {
            return;
        }

        foreach (RecordKey key in _begun.ToArray())
        {
            _protocol.IntentIsDurable(key, this);
        }

        foreach (IGrouping<NodeId, (NodeId Node, RecordKey Key)> group in _asks.ToLookup(ask => ask.Node).OrderBy(group => group.Key))
        {
            await AskNode(group.Key, nonce, [.. group.Select(ask => ask.Key)]);
        }

        RecordKey[] stay = [.. _protocol.Intents];
        foreach (RecordKey key in stay)
        {
            _protocol.Abandon(key, this);
        }

        // What was given up is durable before the intents are forgotten.
        await _ports.Workers.Run(WorkPriority.Background, _store.Commit);
        SaveIntents();
        Owe(stay.Where(key => _lacked.Contains(key) && !_kept.Contains(key) && !IsCondemned(key.Address))
            .Select(key => key.Address));
    }

    private async Task AskNode(NodeId node, Bytes16 nonce, RecordKey[] keys)
    {
        if (_set.Find(node) is not { IsClosed: false } link || !_view.IsLevel(node))
        {
            return;
        }

        using PeerReply reply = await link.Ask(number => new DropAsk(number, nonce, [.. keys.Select(key => key.Address)]));
        if (reply.Message is not DropReply answer || answer.Proofs.Count != keys.Length)
        {
            return;
        }

        // As many reads as the batch has chunks: not on the loop, where everybody would wait for the disk.
        Bytes32?[] own = await _ports.Workers.Run(
            WorkPriority.Background,
            () => Array.ConvertAll(keys, key => ChunkServer.ProofOf(_store, key.Address, nonce)));
        for (int i = 0; i < keys.Length; i++)
        {
            if (answer.Proofs[i] == default)
            {
                _lacked.Add(keys[i]);
            }
            else if (own[i] == answer.Proofs[i])
            {
                _kept.Add(keys[i]);
                _protocol.Confirmed(node, keys[i], nonce, this);
            }
        }
    }

    private bool SaveIntents()
    {
        ArrayBufferWriter<byte> output = new(1024);
        WireWriter writer = new(output);
        RecordKey[] keys = [.. _protocol.Intents];
        writer.Count(keys.Length);
        foreach (RecordKey key in keys)
        {
            writer.Bytes32(key.Address.Value);
        }

        bool saved = SmallFile.Write(_ports.Disk, IntentsFile, output.WrittenSpan).TryGet(out _, out StoreError error);
        if (!saved)
        {
            _diary.Add(LogLevel.Error, "drop", error.ToString());
        }

        return saved;
    }

    private static List<RecordKey> ReadKeys(ref WireReader reader, int count)
    {
        List<RecordKey> keys = [];
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            keys.Add(RecordKey.Copy(new ChunkAddress(reader.Bytes32())));
        }

        return keys;
    }
}
