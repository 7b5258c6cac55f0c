using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Node.Engine;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Tests.Logs;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation;
using Cairn.Simulation.Indexes;
using Cairn.Storage;
using Cairn.Storage.Journaling;
using Cairn.Storage.Logs;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;

namespace Cairn.Node.Tests.Engine;

/// <summary>One volume's engine on a disk: opened, closed, killed and opened again.</summary>
internal sealed class EngineNode(IDisk disk)
{
    private readonly SimulatedEntropy _entropy = new(9);
    private readonly SimulatedIdentity _identity = new(1);
    private Journal? _journal;
    private LogStore? _blocks;

    public IDisk Disk { get; } = disk;

    public SimulatedIndex Index { get; set; } = new();

    public PoolWorkers Workers { get; private set; } = new();

    public VolumeEngine Engine { get; private set; } = null!;

    public ReplicatedLog Log { get; private set; } = null!;

    public ChunkStore Store { get; private set; } = null!;

    /// <summary>Who may write.</summary>
    public LogMembers Members { get; } = new();

    public PublishOptions Publishing { get; init; } = new();

    public long SpaceBytes { get; init; } = 1L << 30;

    /// <summary>How long the past stays; these tests look at what goes.</summary>
    public Retention Keep { get; init; } = Retention.None;

    public EngineNode Open()
    {
        _journal = Value(Journal.Open(Disk, new JournalOptions { SegmentBytes = 8 << 20, SegmentsMax = 24 }));
        RecoveredJournal recovered = Value(RecoveredJournal.Replay(_journal));
        _blocks = Value(LogStore.Open(Disk));
        Store = Value(ChunkStore.Open(Disk, new ChunkStoreOptions { SpaceBytes = SpaceBytes, PackBytes = 32 << 20 }));
        Workers = new PoolWorkers();
        Members.Grant(_identity);
        SealedIndex index = SealedIndex.Open(Index, new byte[32], _entropy);
        LogPorts ports = new()
        {
            Journal = _journal,
            JournalCipher = new JournalCipher(new byte[32], _entropy),
            Recovered = recovered,
            Blocks = _blocks,
            Index = index,
            Identity = _identity,
            Members = Members,
            Time = TimeProvider.System,
            Workers = Workers,
        };
        Log = Value(ReplicatedLog.Open(ports, LogNode.Keyring, new TreeApplier(), out IReadOnlyList<RecoveredRecord> others));
        Log.Alone = true;
        Engine = VolumeEngine.Open(
            new VolumeParts
            {
                Name = "test",
                Log = Log,
                Store = Store,
                Index = index,
                Entropy = _entropy,
                Time = TimeProvider.System,
                Workers = Workers,
                Publishing = Publishing,
                Garbage = new GarbageOptions { Keep = Keep },
            },
            others);
        return this;
    }

    /// <summary>Ends in order.</summary>
    public async Task Close()
    {
        await Engine.DisposeAsync();
        await Log.DisposeAsync();
        Store.Dispose();
        _blocks!.Dispose();
        _journal!.Dispose();
        Assert.Empty(Workers.Failures);
    }

    public static InodeNumber Root => InodeNumber.Root;

    private static T Value<T>(Result<T, StoreError> result)
    {
        Assert.True(result.IsOk, result.ToString());
        return result.Value;
    }
}
