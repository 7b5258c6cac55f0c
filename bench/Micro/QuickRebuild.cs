using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cairn.Coding.Encryption;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Sync;
using Cairn.Core.Tree;
using Cairn.Io.Disk;
using Cairn.Io.Index;
using Cairn.Io.Loop;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.Ports;
using Cairn.Simulation;
using Cairn.Storage.Journaling;
using Cairn.Storage.Logs;

namespace Cairn.Bench.Micro;

/// <summary>What it costs to make a lost index anew from two logs whose authors wrote in turn: time, CPU time and memory.</summary>
/// <remarks>One transaction makes one file with its content. Nothing is asked of the machine here: no gate.</remarks>
internal static class QuickRebuild
{
    private const int FilesPerFolder = 500;
    private const int FilesPerBlock = 250;
    private const int FilesPerTurn = 1000;
    private const int RecordsPerPage = 8192;
    private const int MessageBytes = 3 << 20;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <param name="folder">On the disk to measure; a new folder below it is used and removed.</param>
    /// <param name="files">How many in all.</param>
    public static async Task<int> Run(string folder, int files)
    {
        string home = Path.Join(folder, $"cairn-rebuild-{Environment.ProcessId}");
        Directory.CreateDirectory(home);
        try
        {
            var epoch = new EpochKey(new EpochId(new Bytes16("the first epoch!"u8)), new byte[32]);
            var keys = new VolumeKeyring(default, new DedupSecret(new byte[32]), epoch);
            RealDisk disk = RealDisk.OpenRoot(home).Value;
            Make(disk, keys, files);
            GC.Collect();
            await Rebuild(home, disk, keys, files);
            return 0;
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    private static async Task Rebuild(string home, RealDisk disk, VolumeKeyring keys, int files)
    {
        using Journal journal = Journal.Open(disk).Value;
        using LogStore blocks = LogStore.Open(disk).Value;
        using SealedIndex index = Index(home, "index");
        using var loop = new EngineLoop(static failure => throw new InvariantException(failure.ToString()));
        StandingCheckpoint? standing = null;
        using var shelf = new CheckpointShelf(slot => Index(home, $"checkpoint-{slot}"), () => standing);
        var entropy = new SimulatedEntropy(1);
        var ports = new LogPorts
        {
            Journal = journal,
            JournalCipher = new JournalCipher(new byte[32], entropy),
            Recovered = RecoveredJournal.Replay(journal).Value,
            Blocks = blocks,
            Index = index,
            Checkpoints = shelf,
            Identity = new SimulatedIdentity(1),
            Members = new Everybody(),
            Entropy = entropy,
            Time = TimeProvider.System,
            Workers = loop,
        };
        using var stop = new CancellationTokenSource();
        Task<long> peak = Task.Run(() => Watch(stop.Token));
        var used = new Used();
        await using (ReplicatedLog log = ReplicatedLog.Open(ports, keys, new TreeApplier(), out _).Value)
        {
            Invariant.That(log.Persist().IsOk && log.Fold.WaitingCount == 0, "not all was folded and written");

            // As it is with a table that a newcomer takes: the others have said that they have it all.
            log.Prune(static positions => positions);
            Invariant.That(log.Persist().IsOk, "not all was forgotten");
            await stop.CancelAsync();
            long megabytes = await peak / 1_000_000;
            used.Tell($"index of {files} files made anew from two logs, at most {megabytes} MB of objects");
            await Receive(home, log, ports, keys, files);
            standing = await MakeCheckpoint(log, loop, shelf, files);
            Drop(log, blocks, shelf, standing.Checkpoint);
        }

        Copy(home, index, files);
        await RebuildFromCheckpoint(home, ports, keys, files);
    }

    /// <summary>What a newcomer does that is given all blocks, as a peer gives them, without the network.</summary>
    private static async Task Receive(string home, ReplicatedLog giver, LogPorts like, VolumeKeyring keys, int files)
    {
        RealDisk disk = RealDisk.OpenRoot(Directory.CreateDirectory(Path.Join(home, "newcomer")).FullName).Value;
        using Journal journal = Journal.Open(disk).Value;
        using LogStore blocks = LogStore.Open(disk).Value;
        using SealedIndex index = Index(home, "received");
        LogPorts ports = like with
        {
            Journal = journal,
            Recovered = RecoveredJournal.Replay(journal).Value,
            Blocks = blocks,
            Index = index,
            Checkpoints = null,
            Identity = new SimulatedIdentity(4),
            CheckSignature = static (_, _, _) => true,
        };
        GC.Collect();
        using var stop = new CancellationTokenSource();
        Task<long> peak = Task.Run(() => Watch(stop.Token));
        var used = new Used();
        await using ReplicatedLog log = ReplicatedLog.Open(ports, keys, new TreeApplier(), out _).Value;
        while (giver.BlocksAfter(log.Positions, MessageBytes) is { Count: > 0 } sent)
        {
            log.Receive([.. sent.Select(static block => block.Bytes)]);
            Invariant.That(log.Commit().IsOk, "blocks cannot be written");
        }

        Invariant.That(log.Persist().IsOk && log.Fold.WaitingCount == 0, "not all was folded and written");
        await stop.CancelAsync();
        long megabytes = await peak / 1_000_000;
        used.Tell($"index of {files} files made from received blocks, at most {megabytes} MB of objects");
    }

    /// <summary>What every member does at a mark, beside its other work.</summary>
    private static async Task<StandingCheckpoint> MakeCheckpoint(
        ReplicatedLog log, EngineLoop loop, CheckpointShelf shelf, int files)
    {
        NodeId self = log.OwnLogId.Author;
        var used = new Used();
        log.Alone = true;
        await using var maker = new CheckpointMaker(log, loop, shelf) { StepMin = 1 };
        maker.Prune(new LoneMember(self));
        while (shelf.Newest is null)
        {
            await Task.Delay(LookEvery);
        }

        MadeCheckpoint made = shelf.Newest.Value;
        used.Tell($"checkpoint of {files} files made, {made.Records} records");
        return new StandingCheckpoint(made, [self]);
    }

    /// <summary>What every member does once the checkpoint is settled: it reads it once more, and drops what is in it.</summary>
    private static void Drop(ReplicatedLog log, LogStore blocks, CheckpointShelf shelf, MadeCheckpoint settled)
    {
        long before = blocks.BytesOf(log.Volume);
        var used = new Used();
        Invariant.That(shelf.Secure(settled.Hash).IsOk, "the checkpoint is not whole");
        Invariant.That(log.Compaction.Drop(log.Fold.Positions, settled.Depth).IsOk, "blocks cannot be dropped");
        long after = blocks.BytesOf(log.Volume);
        used.Tell($"blocks dropped, logs of {before:N0} bytes before, {after:N0} after");
    }

    /// <summary>What a member does that has lost its index, and keeps a checkpoint that stands.</summary>
    private static async Task RebuildFromCheckpoint(string home, LogPorts ports, VolumeKeyring keys, int files)
    {
        using SealedIndex index = Index(home, "again");
        var used = new Used();
        await using ReplicatedLog log =
            ReplicatedLog.Open(ports with { Index = index }, keys, new TreeApplier(), out _).Value;
        Invariant.That(log.Persist().IsOk && log.Findings.Take().Count > 0, "it was not made from the checkpoint");
        used.Tell($"index of {files} files made anew from the checkpoint");
    }

    /// <summary>What a newcomer does that begins with this table, without the network.</summary>
    private static void Copy(string home, SealedIndex index, int files)
    {
        using SealedIndex taken = Index(home, "taken");
        var used = new Used();
        using IIndexStore view = index.View().Value;
        var fill = new TableFill(taken);
        bool isFilled = fill.Begin().IsOk;
        long bytes = 0;
        foreach (TableRecordBytes[] page in All(view).Chunk(RecordsPerPage))
        {
            isFilled &= fill.Add(page).IsOk;
            bytes += page.Sum(static record => (long)record.Key.Length + record.Value.Length);
        }

        Invariant.That(isFilled && fill.Finish().IsOk, "the table cannot be taken");
        used.Tell($"table of {files} files taken from another, {bytes / 1_000_000} MB");
    }

    private static SealedIndex Index(string home, string name) => SealedIndex.Open(
        new SqliteIndexStore(Path.Join(home, name)), new byte[32], new SimulatedEntropy(1));

    private static IEnumerable<TableRecordBytes> All(IIndexStore view)
    {
        TableCursor cursor = new IndexTable(view).Scan([], []);
        while (cursor.MoveNext())
        {
            if (cursor.Key[0] is < IndexTable.NodesOwn or >= FoldKeys.Reserved)
            {
                yield return new TableRecordBytes(cursor.Key, cursor.Value);
            }
        }
    }

    private static long Watch(CancellationToken stop)
    {
        long most = 0;
        do
        {
            most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false));
        }
        while (!stop.WaitHandle.WaitOne(LookEvery));
        return most;
    }

    private static void Make(RealDisk disk, VolumeKeyring keys, int files)
    {
        var random = new Prng(1);
        FreshIds[] ids = [new FreshIds(random.Fill), new FreshIds(random.Fill)];
        LogId[] logs = [new LogId(new SimulatedIdentity(2).Node, 1), new LogId(new SimulatedIdentity(3).Node, 1)];
        var fold = new OrderedFold(new MemoryTable(), new TreeApplier()) { Alone = true };
        var edits = new TreeEdits(new TreeQueries(fold.Table), () => Fresh(random));
        using LogStore blocks = LogStore.Open(disk).Value;
        var tips = new SortedDictionary<LogId, ChainTip>();
        var block = new List<Transaction>();
        ObjectId folder = default;
        for (int i = 0; i < files; i++)
        {
            int author = i / FilesPerTurn % logs.Length;
            LogId log = logs[author];
            byte[] name = Encoding.UTF8.GetBytes($"file-{i}.txt");
            var created = new NewObject(new ObjectId(ids[author].Next()), 0x1A4, 0, 0, default);
            var version = new NewVersion(new VersionId(Fresh(random)), 4096, 4096, default, new byte[120]);
            bool isFolder = i % FilesPerFolder == 0;
            block.Add(fold.Author(log, default, isFolder
                ? edits.MakeDirectory(default, name, created).Value
                : edits.CreateFile(folder, name, created, version).Value));
            fold.ApplyLocal(block[^1]);
            folder = isFolder ? created.Id : folder;
            if (block.Count == FilesPerBlock || i == files - 1)
            {
                tips[log] = Store(blocks, keys, log, tips.GetValueOrDefault(log), [.. block]);
                block.Clear();
            }
        }

        Invariant.That(blocks.Commit().IsOk, "the logs cannot be written");
    }

    private static ChainTip Store(
        LogStore blocks, VolumeKeyring keys, LogId log, ChainTip tip, ReadOnlySpan<Transaction> transactions)
    {
        var run = new ArrayBufferWriter<byte>();
        TransactionCodec.EncodeRun(transactions, run);
        byte[] payload = new byte[run.WrittenCount + LogCipher.Overhead];
        LogCipher.Seal(keys.Current, keys.Volume, log, tip.BlockSeq + 1, run.WrittenSpan, payload);

        // Signatures are checked when a block arrives, not when it is read again.
        byte[] encoded = LogBlockCodec.Encode(new LogBlock(
            keys.Volume, log, tip.BlockSeq + 1, transactions[0].Id.Seq, transactions[^1].Id.Seq, tip.Hash,
            keys.Current.Id, payload, new byte[LogBlock.SignatureSize]));
        Invariant.That(blocks.Append(keys.Volume, log, tip.BlockSeq + 1, encoded).IsOk, "a block cannot be written");
        return new ChainTip(tip.BlockSeq + 1, LogBlockCodec.Hash(encoded), transactions[^1].Id.Seq);
    }

    private static Bytes16 Fresh(Prng random)
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        random.Fill(bytes);
        return new Bytes16(bytes);
    }

    /// <summary>Time from its making on.</summary>
    private sealed class Used
    {
        private readonly long _began = Stopwatch.GetTimestamp();
        private readonly TimeSpan _before = Environment.CpuUsage.TotalTime;

        public void Tell(string what)
        {
            double seconds = Stopwatch.GetElapsedTime(_began).TotalSeconds;
            double busy = (Environment.CpuUsage.TotalTime - _before).TotalSeconds;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{what}: {seconds:F1} s, {busy:F1} CPU s"));
        }
    }

    private sealed class Everybody : IMembers
    {
        public ReadOnlyMemory<byte> PublicKeyOf(NodeId author) => default;

        public AuthorStanding StandingOf(LogId log, ulong blockSeq) => AuthorStanding.Accepted;
    }
}
