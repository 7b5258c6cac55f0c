using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Node.Engine;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Index;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.Ports;
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

    /// <summary>From when on removals are held for review.</summary>
    public BrakeLimits Brake { get; init; } = new();

    public JournalOptions JournalOptions { get; init; } = new() { SegmentBytes = 8 << 20, SegmentsMax = 24 };

    /// <summary>Whether the pool takes new chunks.</summary>
    public bool HasPoolRoom { get; set; } = true;

    /// <summary>Whether nobody else writes.</summary>
    public bool IsAlone { get; init; } = true;

    public EngineNode Open()
    {
        Workers = new PoolWorkers();
        Result<Unit, StoreError> opened = TryOpen(Workers, TimeProvider.System);
        Assert.True(opened.IsOk, opened.ToString());
        return this;
    }

    /// <summary>Opens over the workers and the clock of one life; fails as the disk does.</summary>
    public Result<Unit, StoreError> TryOpen(IWorkers workers, TimeProvider time)
    {
        var storeOptions = new ChunkStoreOptions { SpaceBytes = SpaceBytes, PackBytes = 32 << 20 };
        if (!Journal.Open(Disk, JournalOptions).TryGet(out _journal, out StoreError error)
            || !RecoveredJournal.Replay(_journal).TryGet(out RecoveredJournal? recovered, out error)
            || !LogStore.Open(Disk).TryGet(out _blocks, out error)
            || !ChunkStore.Open(Disk, storeOptions).TryGet(out ChunkStore? store, out error))
        {
            return error;
        }

        Store = store;
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
            Entropy = _entropy,
            Time = time,
            Workers = workers,
        };
        if (!ReplicatedLog.Open(ports, LogNode.Keyring, new TreeApplier(), out IReadOnlyList<RecoveredRecord> others)
            .TryGet(out ReplicatedLog? log, out error))
        {
            return error;
        }

        Log = log;
        Log.Alone = IsAlone;
        Engine = VolumeEngine.Open(
            new VolumeParts
            {
                Name = "test",
                Log = Log,
                Store = Store,
                Index = index,
                Entropy = _entropy,
                Time = time,
                Workers = workers,
                Publishing = Publishing,
                HasPoolRoom = () => HasPoolRoom,
                Space = () => new VolumeSpace(SpaceBytes, SpaceBytes / 2, 0),
                Garbage = new GarbageOptions { Keep = Keep, Brake = Brake, BrakeDelay = TimeSpan.Zero },
            },
            others);
        return Unit.Value;
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
}
