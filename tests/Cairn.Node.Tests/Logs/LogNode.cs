using System.Text;
using Cairn.Coding.Encryption;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Logs.Recovery;
using Cairn.Simulation;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Indexes;
using Cairn.Simulation.Time;
using Cairn.Storage;
using Cairn.Storage.Journaling;
using Cairn.Storage.Logs;

namespace Cairn.Node.Tests.Logs;

/// <summary>One node's part in one volume's log, on a simulated disk: opened, killed and opened again.</summary>
internal sealed class LogNode
{
    private static readonly VolumeId Shared = new(new Bytes16("a volume for all"u8));

    private readonly SimulatedScheduler _scheduler;
    private readonly int _number;
    private readonly SimulatedEntropy _entropy;
    private int _life;

    public LogNode(SimulatedScheduler scheduler, int number, LogMembers members, SimulatedDisk? disk = null)
    {
        _scheduler = scheduler;
        _number = number;
        _entropy = new SimulatedEntropy((ulong)number + 100);
        Members = members;
        Disk = disk ?? new SimulatedDisk();
        Identity = new SimulatedIdentity((ulong)number + 1);
    }

    public static VolumeKeyring Keyring { get; } = new(
        Shared, new DedupSecret(new byte[32]), new EpochKey(new EpochId(new Bytes16("the first epoch!"u8)), new byte[32]));

    public SimulatedDisk Disk { get; set; }

    public SimulatedIndex Index { get; set; } = new();

    /// <summary>The index as the log and the engine see it.</summary>
    public SealedIndex Sealed { get; private set; } = null!;

    public SimulatedIdentity Identity { get; }

    public LogMembers Members { get; }

    /// <summary>Checkpoints that are kept, and found again by the next life; null for none.</summary>
    public CheckpointShelf? Checkpoints { get; set; }

    /// <summary>What other nodes are known to hold.</summary>
    public LogPositions Elsewhere { get; set; } = LogPositions.Empty;

    public ReplicatedLog Log { get; private set; } = null!;

    public Journal Journal { get; private set; } = null!;

    public LogStore Blocks { get; private set; } = null!;

    public SimulatedProcess Process { get; private set; } = null!;

    /// <summary>Writes records of drafts, as an engine does.</summary>
    public JournalWriter Drafts { get; private set; } = null!;

    /// <summary>What the journal had beside transactions, and no transaction ended.</summary>
    public IReadOnlyList<RecoveredRecord> Others { get; private set; } = [];

    public Result<ReplicatedLog, StoreError> TryOpen(ReplicatedLogOptions? options = null, VolumeKeyring? keys = null)
    {
        Process = _scheduler.CreateProcess($"node {_number} life {++_life}");
        var journalOptions = new JournalOptions { SegmentBytes = 64 << 10, SegmentsMax = 64 };
        if (!Journal.Open(Disk, journalOptions).TryGet(out Journal? journal, out StoreError error))
        {
            return error;
        }

        Journal = journal;
        if (!RecoveredJournal.Replay(journal).TryGet(out RecoveredJournal? recovered, out error)
            || !LogStore.Open(Disk).TryGet(out LogStore? blocks, out error))
        {
            return error;
        }

        Blocks = blocks;
        Sealed = SealedIndex.Open(Index, new byte[32], _entropy);
        var ports = new LogPorts
        {
            Journal = journal,
            JournalCipher = new JournalCipher(new byte[32], _entropy),
            Recovered = recovered,
            Blocks = blocks,
            Index = Sealed,
            Checkpoints = Checkpoints,
            Elsewhere = () => Elsewhere,
            Identity = Identity,
            Members = Members,
            Entropy = _entropy,
            Time = Process.Time,
            Workers = Process,
        };
        Result<ReplicatedLog, StoreError> opened =
            ReplicatedLog.Open(
                ports, keys ?? Keyring, new TreeApplier(), out IReadOnlyList<RecoveredRecord> others, options);
        Others = others;
        Drafts = new JournalWriter(journal, ports.JournalCipher, Keyring.Volume);
        if (opened.IsOk)
        {
            Log = opened.Value;
        }

        return opened;
    }

    public LogNode Open(ReplicatedLogOptions? options = null, VolumeKeyring? keys = null)
    {
        Result<ReplicatedLog, StoreError> opened = TryOpen(options, keys);
        Assert.True(opened.IsOk, opened.ToString());
        return this;
    }

    /// <summary>Ends in order.</summary>
    public void Close()
    {
        Task<bool> closed = Process.Run(async () =>
        {
            await Log.DisposeAsync();
            return true;
        });
        Assert.True(_scheduler.Complete(closed, TimeSpan.FromMinutes(1)));
        Blocks.Dispose();
        Journal.Dispose();
        Process.Kill();
        Disk.Crash(CrashKind.ProcessKilled, 0);
    }

    /// <summary>Ends without order.</summary>
    public void Crash(CrashKind kind, ulong seed = 0)
    {
        Process?.Kill();
        Disk.Crash(kind, seed);
    }

    /// <summary>Makes an empty file; false if the disk refused it.</summary>
    public bool TryCreate(string name, EndedLayer ended = default)
    {
        lock (Log.Gate)
        {
            var edits = new TreeEdits(new TreeQueries(Log.Fold.Table), Fresh);
            var file = new NewObject(new ObjectId(Fresh()), 0x1A4, 1, 2, new WallTime(7));
            return Log.Append(
                edits.CreateFile(TreeQueries.Root, Encoding.UTF8.GetBytes(name), file).Value, new WallTime(7),
                ended).IsOk;
        }
    }

    public void Create(string name) => Assert.True(TryCreate(name));

    public void Remove(string name)
    {
        lock (Log.Gate)
        {
            var edits = new TreeEdits(new TreeQueries(Log.Fold.Table), Fresh);
            Assert.True(Log.Append(
                edits.Unlink(TreeQueries.Root, Encoding.UTF8.GetBytes(name)).Value, new WallTime(7)).IsOk);
        }
    }

    public string[] Names()
    {
        lock (Log.Gate)
        {
            return [.. new TreeQueries(Log.Fold.Table).List(TreeQueries.Root, default, 10_000)
                .Select(entry => Encoding.UTF8.GetString(entry.Name.Span))];
        }
    }

    /// <summary>Everything in the table that is the tree's, as one string.</summary>
    public string TableText()
    {
        lock (Log.Gate)
        {
            var text = new StringBuilder();
            TableCursor cursor = Log.Fold.Table.Scan([], [FoldKeys.Reserved]);
            while (cursor.MoveNext())
            {
                text.Append(Convert.ToHexString(cursor.Key)).Append('=').AppendLine(Convert.ToHexString(cursor.Value));
            }

            return text.ToString();
        }
    }

    /// <summary>Takes everything another node shows.</summary>
    public void PullFrom(LogNode other)
    {
        IReadOnlyList<HeldBlock> blocks = other.Log.BlocksAfter(Log.Positions, int.MaxValue);
        IReadOnlyList<ReceiveOutcome> outcomes = Log.Receive([.. blocks.Select(block => block.Bytes)]);
        for (int i = 0; i < blocks.Count; i++)
        {
            Assert.True(
                outcomes[i] is ReceiveOutcome.Accepted or ReceiveOutcome.Held,
                $"{blocks[i].Log} {blocks[i].Position}: {outcomes[i]}");
        }

        Assert.True(Log.Commit().IsOk);
    }

    public Bytes16 Fresh()
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        _entropy.Fill(bytes);
        return new Bytes16(bytes);
    }
}

/// <summary>Members as a test says.</summary>
internal sealed class LogMembers : IMembers
{
    private readonly Dictionary<NodeId, ReadOnlyMemory<byte>> _keys = [];

    public Dictionary<LogId, ulong> LastAccepted { get; } = [];

    public void Grant(SimulatedIdentity identity) => _keys[identity.Node] = identity.PublicKey;

    public WriteRights Rights { get; set; } = WriteRights.None;

    public ReadOnlyMemory<byte> PublicKeyOf(NodeId author) => _keys.GetValueOrDefault(author);

    public AuthorStanding StandingOf(LogId log, ulong blockSeq) =>
        !_keys.ContainsKey(log.Author) ? AuthorStanding.Unknown
        : LastAccepted.TryGetValue(log, out ulong last) && blockSeq > last ? AuthorStanding.Revoked
        : AuthorStanding.Accepted;
}
