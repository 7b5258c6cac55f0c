using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Rules;
using Cairn.Core.Text;
using Cairn.Node.Engine.Past;
using Cairn.Node.Engine.Upkeep;
using Cairn.Node.Engine.Walks;
using Cairn.Node.Garbage;
using Cairn.Node.LocalFiles;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.Snapshots;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node.Engine;

/// <summary>A volume engine and its log as the node's composition sees them.</summary>
internal sealed class HostedVolume : IHostedVolume, ISharedLog
{
    private readonly OpenedVolume _opened;
    private readonly VolumeEngine _engine;
    private readonly ReplicatedLog _log;
    private readonly PrivateVolume _private;
    private readonly LocalFilesVolume _local;
    private readonly SnapshotsVolume _drive;
    private readonly PinnedFiles _pins;
    private readonly IGarbageMembers? _members;
    private readonly IWorkers _workers;
    private readonly CheckpointMaker _maker;
    private readonly CheckpointShelf _checkpoints;
    private readonly CancellationTokenSource _stop = new();
    private readonly BlockDropper _dropper;
    private readonly OwnWork _ownWork;

    public HostedVolume(
        OpenedVolume opened, PrivateVolume local, IGarbageMembers? members, IWorkers workers,
        CheckpointMaker maker, CheckpointShelf checkpoints)
    {
        (_opened, _private, _members, _workers) = (opened, local, members, workers);
        (_maker, _checkpoints) = (maker, checkpoints);
        (_engine, _log) = (opened.Engine, opened.Log);
        _local = new LocalFilesVolume(_engine, local);
        _drive = new SnapshotsVolume(_local, _engine);
        _pins = new PinnedFiles(_engine.State, _engine.Reader);
        _dropper = new BlockDropper(_log, _checkpoints, _workers);
        _ownWork = new OwnWork(_log, _engine.Return, _workers, _log.Ports.Time, _stop.Token);
        _log.Compaction.Base = () => _log.Fold.Ground is { } ground && _checkpoints.Keeps(ground.Hash)
            ? (ground.Positions, ground.Depth)
            : null;
        _checkpoints.StoodOn = () =>
        {
            lock (_log.Gate)
            {
                return _log.Repair.Base.StoodOn;
            }
        };
    }

    /// <summary>Whether blocks before the ground of the fold may be dropped, as far as the pool is concerned.</summary>
    public required Func<bool> MayDrop { get; init; }

    /// <inheritdoc/>
    public event Action? BlocksReady
    {
        add => _log.BlocksReady += value;
        remove => _log.BlocksReady -= value;
    }

    /// <inheritdoc/>
    IVolume IHostedVolume.Volume => _drive;

    /// <inheritdoc/>
    VolumeId ISharedLog.Volume => _log.Volume;

    /// <inheritdoc/>
    public ISharedLog Log => this;

    /// <inheritdoc/>
    public LogPositions Positions => _log.Positions;

    /// <inheritdoc/>
    public LogPositions Seen => _log.Seen;

    /// <inheritdoc/>
    public LogPositions Word => _log.Word;

    /// <inheritdoc/>
    public long UnpublishedFiles => _engine.UnpublishedFiles;

    /// <inheritdoc/>
    public bool HasUnpublishedWrites => _engine.HasUnpublishedWrites || _log.HasUnsent;

    /// <inheritdoc/>
    public CondemnedChunks Condemned => _engine.Garbage.Condemned;

    /// <inheritdoc/>
    public bool IsPurged => _engine.Garbage.IsPurged;

    /// <inheritdoc/>
    public bool IsEmptyHere => _engine.Garbage.IsEmptied && _private.Current?.Garbage.IsEmptied != false;

    /// <inheritdoc/>
    public bool IsAtRest => Condemned.IsEmpty && !HasUnpublishedWrites && _ownWork.Ended.IsCompleted
        && _dropper.Ended.IsCompleted && _private.Current?.Garbage.IsEmptied != false;

    /// <inheritdoc/>
    public void Upkeep()
    {
        if (_members is not null)
        {
            _maker.Prune(_members);
            _ownWork.Look(_members.IsReturning);
            if (MayDrop() && !_stop.IsCancellationRequested)
            {
                _dropper.Look(_members);
            }
        }
    }

    /// <inheritdoc/>
    public void MembersChanged() => _log.Reconsider();

    /// <inheritdoc/>
    public Task<bool> ComeBack(bool doCopiesCount, CancellationToken cancellation) =>
        _ownWork.ComeBack(doCopiesCount, cancellation);

    /// <inheritdoc/>
    public long RefusedOf(NodeId member)
    {
        lock (_log.Gate)
        {
            return _engine.State.Queries.RefusedOf(member);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<FolderMark, VolumeError>> MarkFolder(string path)
    {
        Result<ObjectAttributes, VolumeError> found = await _engine.Resolve(path);
        if (!found.TryGet(out ObjectAttributes top, out VolumeError error))
        {
            return error;
        }

        if (top.Kind != ObjectKind.Directory || top.Inode == InodeNumber.Root)
        {
            return top.Kind == ObjectKind.Directory ? VolumeError.InvalidArgument : VolumeError.NotADirectory;
        }

        Result<AdminMark, VolumeError> written = await WriteMark();
        return written.TryGet(out AdminMark? mark, out error)
            ? new FolderMark(_engine.State.Inodes.ObjectOf(top.Inode)!.Value, mark)
            : error;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<AdminMark, VolumeError>> WriteMark()
    {
        AdminMark mark;
        lock (_log.Gate)
        {
            // It does nothing; whoever writes behind it has seen it.
            Result<TransactionId, StoreError> written = _log.Append([new Rescue([])], _engine.State.Now);
            if (!written.TryGet(out TransactionId after, out StoreError failed))
            {
                return Errors.From(failed);
            }

            mark = new AdminMark(_log.Seen, after);
        }

        // A limit whose mark was lost would hold for ever, and nobody could write behind it.
        Result<Unit, StoreError> isSealed = await _workers.Run(WorkPriority.Foreground, _log.Seal);
        return isSealed.TryGet(out _, out StoreError refused) ? mark : Errors.From(refused);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> HasUnguarded(CancellationToken cancellation) =>
        await _workers.Run(WorkPriority.Background, () => new UnguardedFolders(_log).IsAny(cancellation), cancellation);

    /// <inheritdoc/>
    public ImmutableArray<TransactionId> IdleBeside(AdminMark mark)
    {
        lock (_log.Gate)
        {
            return _log.Rights.Folders.IdleBeside(mark.Seen, _log.Fold.Table);
        }
    }

    /// <inheritdoc/>
    public bool Has(TransactionId id)
    {
        lock (_log.Gate)
        {
            return _log.Fold.Has(id);
        }
    }

    /// <inheritdoc/>
    public string? PathOf(ObjectId folder)
    {
        lock (_log.Gate)
        {
            return _engine.State.Queries.Get(folder) is { IsDetached: false }
                ? NameText.Join(_engine.State.Queries.PathOf(folder))
                : null;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> TakeFindings() =>
        [.. _log.Findings.Take().Select(finding => $"{finding.Log}: {finding.Detail}")];

    /// <inheritdoc/>
    public bool WaitsForLost => _log.Repair.WaitsForLost;

    /// <inheritdoc/>
    public void Share()
    {
        if (_log.Alone)
        {
            _log.Alone = false;
        }
    }

    /// <inheritdoc/>
    public long IndexBytes => _opened.Index.Bytes + _private.IndexBytes + _checkpoints.Bytes;

    /// <inheritdoc/>
    public IIndexStore? ViewTable() => _log.ViewTable();

    /// <inheritdoc/>
    public MadeCheckpoint? Checkpoint => _checkpoints.Newest;

    /// <inheritdoc/>
    public bool Continues(MadeCheckpoint checkpoint)
    {
        lock (_log.Gate)
        {
            return !_log.Repair.IsPutOff && !_log.Repair.Base.IsBehind && !_log.Repair.Missed.IsAny
                && FoldGround.Continues(_log.Fold.Table, checkpoint.Depth, checkpoint.Hash);
        }
    }

    /// <inheritdoc/>
    public bool HasAllFoldedBefore(MadeCheckpoint checkpoint)
    {
        lock (_log.Gate)
        {
            return _log.Repair.Notes.HasAllFoldedBefore(checkpoint.Hash);
        }
    }

    /// <inheritdoc/>
    public void NoteForgotten(IReadOnlyCollection<NodeId> forgotten)
    {
        lock (_log.Gate)
        {
            _log.Repair.Notes.NoteForgotten(forgotten);
        }
    }

    /// <inheritdoc/>
    public bool HasNothingLate(MadeCheckpoint checkpoint)
    {
        lock (_log.Gate)
        {
            return _log.Repair.Notes.HasNothingLate(checkpoint.Hash);
        }
    }

    /// <inheritdoc/>
    public bool TryKeepTable()
    {
        lock (_log.Gate)
        {
            return _log.Repair.Base.IsTableKept || _log.Repair.Base.TryKeepTable();
        }
    }

    /// <inheritdoc/>
    public SlotFill? Lacks(MadeCheckpoint checkpoint) =>
        _checkpoints.Keeps(checkpoint.Hash) ? null : new SlotFill(_checkpoints, checkpoint);

    /// <inheritdoc/>
    public IIndexStore? ViewCheckpoint(Bytes32 hash) => _checkpoints.View(hash);

    /// <inheritdoc/>
    public void UseKeyring(VolumeKeyring keyring) => _log.Keys = keyring;

    /// <inheritdoc/>
    public async ValueTask<Result<VolumeContents, VolumeError>> Contents(string path, CancellationToken cancellation)
    {
        Result<VolumeChunks, VolumeError> walked = await _engine.ChunksBelow(path, cancellation);
        return walked.TryGet(out VolumeChunks? found, out VolumeError error)
            ? new VolumeContents(
                found.Files, [.. found.Chunks.Select(chunk => chunk.Address)],
                found.Chunks.Sum(chunk => (long)chunk.StoredLength), found.HasUnpublishedWrites || _log.HasUnsent)
            : error;
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<NodeId> Forked => _log.Forked;

    /// <inheritdoc/>
    public long ShownBytes
    {
        get
        {
            lock (_engine.State.Gate)
            {
                return _engine.State.Queries.Totals.SizeBytes;
            }
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> FilesWith(
        IReadOnlySet<ChunkAddress> chunks, string below, int countMax, CancellationToken cancellation)
    {
        Result<Pin, VolumeError> top = await PinAt(below);
        return top.IsOk
            ? await new NamingWalk(_engine.State, _engine.Reader, chunks).Run(top.Value.Object, countMax, cancellation)
            : [];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyCollection<ChunkAddress>> Needed(
        IReadOnlySet<ChunkAddress> chunks, CancellationToken cancellation) =>
        _engine.Return.Needed(chunks, cancellation);

    /// <inheritdoc/>
    public async Task<IReadOnlyCollection<ChunkAddress>> Absent(
        Func<ChunkAddress, bool> shouldBeHere, CancellationToken cancellation)
    {
        // It goes through all files, and nobody waits for it.
        AbsentWalk walk = new(_engine.State, _engine.Reader, shouldBeHere);
        Task<IReadOnlyCollection<ChunkAddress>> walking =
            await _workers.Run(WorkPriority.Background, () => walk.Run(cancellation), cancellation);
        return await walking;
    }

    /// <inheritdoc/>
    public UnsharedFiles Unshared(LogPositions elsewhere, IReadOnlySet<ChunkAddress> onlyHere) =>
        new UnsharedWalk(_engine.State, elsewhere, onlyHere).Run();

    /// <inheritdoc/>
    public IReadOnlyList<ObjectId> OpenFiles => _engine.OpenFiles.OpenHere();

    /// <inheritdoc/>
    public void HearOpenFiles(NodeId member, string name, IReadOnlyList<ObjectId> files) =>
        _engine.OpenFiles.Hear(member, name, files);

    /// <inheritdoc/>
    public long Changes => _pins.Changes;

    /// <inheritdoc/>
    public async ValueTask<Result<Pin, VolumeError>> PinAt(string path)
    {
        Result<ObjectAttributes, VolumeError> found = await _engine.Resolve(path);
        return found.TryGet(out ObjectAttributes top, out VolumeError error) ? _pins.PinOf(top.Inode) : error;
    }

    /// <inheritdoc/>
    public async ValueTask<PinnedContents> Pinned(Pin pin, CancellationToken cancellation)
    {
        // A large folder is long to walk, and nobody waits for it.
        Task<PinnedContents> walk =
            await _workers.Run(
                WorkPriority.Background, () => _pins.Of(pin, cancellation).AsTask(), cancellation);
        return await walk;
    }

    /// <inheritdoc/>
    public Bytes16? SnapshotId(string name)
    {
        lock (_log.Gate)
        {
            return _engine.PastStates.Snapshot(name)?.Id;
        }
    }

    /// <inheritdoc/>
    public string? SnapshotName(Bytes16 id)
    {
        lock (_log.Gate)
        {
            return _engine.PastStates.Named().FirstOrDefault(one => one.Snapshot.Id == id).Name;
        }
    }

    /// <inheritdoc/>
    public async Task<Result<Unit, VolumeError>> Seal(CancellationToken cancellation) =>
        (await _workers.Run(WorkPriority.Foreground, _log.Seal, cancellation)).TryGet(out _, out StoreError error)
            ? Unit.Value
            : Errors.From(error);

    /// <inheritdoc/>
    public async Task<Result<Unit, VolumeError>> FillFrom(
        IHostedVolume origin, Bytes16 snapshot, CancellationToken cancellation) => origin is HostedVolume from
        ? await _workers.Run(
            WorkPriority.Background,
            () => new CloneFill(from._engine.State, _engine.State).Run(snapshot, cancellation),
            cancellation)
        : VolumeError.NotSupported;

    /// <inheritdoc/>
    public Task Publish(CancellationToken cancellation) => _engine.PublishAll(cancellation);

    /// <inheritdoc/>
    public IReadOnlyList<SharedBlock> BlocksAfter(LogPositions held, int bytesMax) =>
        [.. _log.BlocksAfter(held, bytesMax).Select(block => new SharedBlock(block.Log, block.Position, block.Bytes))];

    /// <inheritdoc/>
    public IReadOnlyList<ReadOnlyMemory<byte>> FirstKept(LogPositions held) =>
        [.. _log.Compaction.FirstKept(held).Select(static block => new ReadOnlyMemory<byte>(block))];

    /// <inheritdoc/>
    public async ValueTask<LogBeginnings> HearBeginnings(IReadOnlyList<ReadOnlyMemory<byte>> first) =>
        await _workers.Run(WorkPriority.Foreground, () =>
        {
            LogBeginnings beyond = _log.Compaction.Hear(first);
            _ = _log.Commit();
            return beyond;
        });

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, string>> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks) =>
        await _workers.Run(WorkPriority.Foreground, () => ReceiveNow(blocks));

    /// <inheritdoc/>
    public bool AwaitsWord => _log.AwaitsWord;

    /// <inheritdoc/>
    public void Settle(LogPositions held) => _log.Settle(held);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _local.Close();
        Waiting.End(_stop);
        await _maker.DisposeAsync();
        await _ownWork.Ended;
        await _dropper.Ended;
        await _private.DisposeAsync();
        // Somebody may be looking for a slot, and the table is gone from here on.
        _checkpoints.StoodOn = static () => null;
        await _opened.DisposeAsync();
        _checkpoints.Dispose();
    }

    private Result<Unit, string> ReceiveNow(IReadOnlyList<ReadOnlyMemory<byte>> blocks)
    {
        ReceiveOutcome[] refused =
            [.. _log.Receive(blocks).Where(outcome => outcome is not (ReceiveOutcome.Accepted or ReceiveOutcome.Held))];
        string? wrong = refused.Length == 0 ? null : $"a block of volume {_log.Volume.Short}: {refused[0]}";

        return !_log.Commit().TryGet(out _, out StoreError error) ? error.ToString()
            : wrong is null ? Unit.Value
            : wrong;
    }
}
