using Cairn.Core.Primitives;
using Cairn.Node.Drafts;
using Cairn.Node.Engine.Past;
using Cairn.Node.Engine.Requests;
using Cairn.Node.Engine.Upkeep;
using Cairn.Node.Engine.Walks;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Storage;

namespace Cairn.Node.Engine;

/// <summary>A volume on one node: the tree, this node's drafts over it, and the work that makes versions of them.</summary>
/// <remarks>
/// Invariants: a call that returned Ok is in the journal; what <see cref="Sync"/> covered is synced; drafts are seen by this
/// node alone, versions by all. Everything that needs no other node completes synchronously on the caller's thread, under
/// the volume's gate for as long as it touches shared state. Steps: docs/ARCHITECTURE.md.
/// </remarks>
public sealed class VolumeEngine : IVolume, IAsyncDisposable
{
    /// <summary>
    /// With less than a twentieth of the pool free, the past goes before anybody is refused a write; and whenever writes are
    /// refused, or who removes files to write again would wait for as long as rules keep them.
    /// </summary>
    private const int ShortOfSpace = 20;

    private readonly VolumeState _state;
    private readonly PresenceOperations _presence;
    private readonly NamespaceOperations _names;
    private readonly AttributeOperations _attributes;
    private readonly FileOperations _files;
    private readonly PatientWriting _writing;
    private readonly PatientOpening _opening;
    private readonly RemoteChanges _remote;
    private readonly DraftRecovery _drafts;
    private readonly ConflictKeeper _conflicts;
    private readonly ContentReader _reader;
    private readonly Publisher _publisher;
    private readonly GarbageCollector _garbage;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private VolumeEngine(VolumeParts parts)
    {
        _state = new VolumeState(parts);
        ChunkReader chunks = new(() => _state.Keys, parts.Store, parts.Source, parts.IsPrivate);
        _reader = new ContentReader(_state, chunks);
        _publisher = new Publisher(_state, _reader);
        DraftWriter writer = new(_state, _publisher.Signal);
        _presence = new PresenceOperations(_state);
        _files = new FileOperations(_state, _reader, writer, _presence, _publisher.Signal);
        _writing = new PatientWriting(_state, _files, _publisher, _stop.Token);
        _opening = new PatientOpening(_state, _files, _stop.Token);
        _remote = new RemoteChanges(_state, _opening);
        _drafts = new DraftRecovery(_state);
        _names = new NamespaceOperations(_state, _files.DropIfGone, _files.BringNear);
        _attributes = new AttributeOperations(_state, _presence);
        _conflicts = new ConflictKeeper(_state, _files);
        History = new HistoryOperations(_state, _conflicts, PublishAll);
        Rules = new RuleOperations(_state);
        PastStates = new PastViews(_state);
        Past = new PastOperations(_state, PastStates);
        Snapshots = new SnapshotOperations(_state, PastStates, PublishAll);
        Brake = new BrakeOperations(_state, Snapshots);
        VolumeRoots roots = new(_state, _reader, _publisher);
        NodeId self = parts.Log.OwnLogId.Author;
        _garbage = new GarbageCollector(
            parts.Log, parts.Store, roots, parts.Members ?? new LoneMember(self), self, parts.Time, parts.Garbage,
            _state.Condemned)
        {
            IsSpaceShort = () => !parts.HasPoolRoom() || (parts.Space?.Invoke() is { TotalBytes: > 0 } space
                && space.FreeBytes < space.TotalBytes / ShortOfSpace),
            KnowsLess = () => _drafts.IsWaiting || parts.Log.Repair.Missed.IsAny,
        };
        Return = new VolumeReturn(_state, roots, _garbage);
        Scheduled = new ScheduledSnapshots(_state, () => _garbage.Members, PublishAll);
        _garbage.Removed += addresses => parts.Replication.Removed(addresses);
        _publisher.Unnamed += _garbage.NoteUnnamed;
        _garbage.UnnamedSettled += _state.Unnamed.Settle;
    }

    /// <inheritdoc/>
    public VolumeId Id => _state.Keys.Volume;

    /// <inheritdoc/>
    public string Name => _state.Parts.Name;

    /// <inheritdoc/>
    public IVolumeHistory History { get; }

    /// <inheritdoc/>
    public IVolumeRules Rules { get; }

    /// <inheritdoc/>
    public IVolumeSnapshots Snapshots { get; }

    /// <inheritdoc/>
    public IVolumeBrake Brake { get; }

    /// <inheritdoc/>
    public IVolumePresence Presence => _presence;

    /// <inheritdoc/>
    public IVolumeFeed Feed => new ChangeFeed(_state);

    /// <summary>Files with writes of this node that are not yet in a published version.</summary>
    public long UnpublishedFiles
    {
        get
        {
            lock (_state.Gate)
            {
                return _drafts.Waiting + _state.OpenObjects.LongCount(static open => open.Newest is not null);
            }
        }
    }

    /// <summary>Whether there are such.</summary>
    public bool HasUnpublishedWrites => UnpublishedFiles > 0;

    /// <summary>Opens the volume over its log, brings unpublished drafts back, and starts publishing.</summary>
    /// <param name="parts">What it is made of.</param>
    /// <param name="recovered">What <see cref="ReplicatedLog.Open(LogPorts, Cairn.Coding.Encryption.VolumeKeyring,
    /// Cairn.Core.Tree.TreeApplier, out IReadOnlyList{RecoveredRecord}, ReplicatedLogOptions?)"/> left over.</param>
    public static VolumeEngine Open(VolumeParts parts, IReadOnlyList<RecoveredRecord> recovered)
    {
        VolumeEngine engine = new(parts);
        lock (engine._state.Gate)
        {
            engine.BroughtBack(engine._drafts.Run(engine._state.Unnamed.Restore(recovered)));
            engine._publisher.ReportUnnamed();
        }

        parts.Log.Changed += engine._remote.OnChange;
        parts.Log.Refolded += engine._remote.OnRefold;
        parts.Log.Changed += engine.LookForFilesOfDrafts;
        parts.Log.HoldsBack = engine._publisher.MakesFirstVersion;
        parts.Log.WithholdsWord = () => engine._drafts.IsWaiting || engine._state.DraftsOfRemoved.IsAny
            || engine._garbage.Members.IsReturning || parts.Log.Repair.Missed.IsAny;
        parts.Workers.Start("publishing " + parts.Name, engine.Publish);
        if (parts.Members is not null)
        {
            engine._garbage.Start(parts.Workers);
            parts.Workers.Start("snapshots " + parts.Name, () => engine.Scheduled.Run(engine._stop.Token));
        }

        return engine;
    }

    private void LookForFilesOfDrafts(IReadOnlyList<byte[]> changed)
    {
        if (_drafts.IsWaiting)
        {
            BroughtBack(_drafts.Look());
        }
    }

    private void BroughtBack(int recovered)
    {
        if (recovered > 0)
        {
            _state.DraftsOfRemoved.Look();
            _publisher.Signal();
        }
    }

    /// <summary>The volume's logs and their fold.</summary>
    public ReplicatedLog Log => _state.Parts.Log;

    /// <summary>Gives the space of deleted files back; runs by itself when <see cref="VolumeParts.Members"/> is set.</summary>
    public GarbageCollector Garbage => _garbage;

    /// <summary>Makes the snapshots of the schedule; runs by itself when <see cref="VolumeParts.Members"/> is set.</summary>
    public ScheduledSnapshots Scheduled { get; }

    /// <summary>What is due when this node was forgotten and is here again.</summary>
    internal VolumeReturn Return { get; }

    /// <summary>Publishes every draft now and seals the log: what a safety question and a clean stop need.</summary>
    public async Task<bool> PublishAll(CancellationToken cancellation) => await _publisher.PublishAll(cancellation);

    /// <summary>The chunks of every version below a path that the tree shows, each once: what must be safe.</summary>
    public async ValueTask<Result<VolumeChunks, VolumeError>> ChunksBelow(string path, CancellationToken cancellation)
    {
        Result<ObjectAttributes, VolumeError> found = await this.Resolve(path);
        return found.TryGet(out ObjectAttributes top, out VolumeError error)
            ? await new ChunkWalk(_state, _reader).Run(top.Inode, cancellation)
            : error;
    }

    /// <summary>Its past states, by name.</summary>
    internal PastViews PastStates { get; }

    /// <summary>What the operations share.</summary>
    internal VolumeState State => _state;

    /// <summary>What members tell each other of open files.</summary>
    internal PresenceOperations OpenFiles => _presence;

    /// <summary>Reads what files hold.</summary>
    internal ContentReader Reader => _reader;

    /// <summary>Reads past states.</summary>
    internal PastOperations Past { get; }

    /// <summary>The folders from the root down to one, both among them.</summary>
    internal IReadOnlyList<FolderOnPath> PathOf(InodeNumber folder) => _names.PathOf(folder);

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> Lookup(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        new(_names.Lookup(parent, name));

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> GetAttributes(InodeNumber inode) =>
        new(_attributes.Get(inode));

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> SetAttributes(
        InodeNumber inode, AttributeChange change, OpenHandle? handle, Caller caller)
    {
        if (change.SizeBytes is { } size && !_files.Resize(inode, size, handle).TryGet(out _, out VolumeError error))
        {
            return new(error);
        }

        bool isTimeOfDraft = false;
        if (change.Modified is { } modified
            && !_files.SetDraftTime(inode, modified).TryGet(out isTimeOfDraft, out error))
        {
            return new(error);
        }

        return new(_attributes.Set(inode, change, isTimeOfDraft));
    }

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<DirectoryEntry>, VolumeError>> ReadDirectory(
        InodeNumber directory, ulong cookie, int countMax) => new(_names.List(directory, cookie, countMax));

    /// <inheritdoc/>
    public ValueTask<Result<OpenedFile, VolumeError>> Create(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, OpenIntent intent, Caller caller) =>
        new(_files.Create(parent, name, mode, intent, caller));

    /// <inheritdoc/>
    public ValueTask<Result<OpenedFile, VolumeError>> Open(InodeNumber inode, OpenIntent intent, Caller caller) =>
        _opening.Open(inode, intent);

    /// <inheritdoc/>
    public ValueTask<Result<int, VolumeError>> Read(OpenHandle handle, long offset, Memory<byte> buffer) =>
        _files.Read(handle, offset, buffer);

    /// <inheritdoc/>
    public ValueTask<Result<int, VolumeError>> Write(OpenHandle handle, long offset, ReadOnlyMemory<byte> data) =>
        _writing.Write(handle, offset, data);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Flush(OpenHandle handle, ulong lockOwner) =>
        new(_files.Flush(handle, lockOwner));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Sync(OpenHandle handle, bool dataOnly)
    {
        lock (_state.Gate)
        {
            if (_state.FindHandle(handle) is null)
            {
                return new(VolumeError.BadHandle);
            }
        }

        return Barrier();
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SyncDirectory(InodeNumber directory) => Barrier();

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Release(OpenHandle handle) => new(_files.Release(handle));

    /// <inheritdoc/>
    /// <remarks>
    /// Nothing is reserved: space belongs to a pool of machines, and is taken by whoever writes first. What does not fit
    /// now is refused, so that a program that asks before a long write learns it before.
    /// </remarks>
    public async ValueTask<Result<Unit, VolumeError>> Allocate(
        OpenHandle handle, long offset, long length, AllocateMode mode)
    {
        if (mode is AllocateMode.Extend or AllocateMode.KeepSize
            && _files.BytesBeyondEnd(handle, offset, length) > (await Space()).Value.FreeBytes)
        {
            return VolumeError.NoSpace;
        }

        return _files.Allocate(handle, offset, length, mode);
    }

    /// <inheritdoc/>
    public ValueTask<Result<long, VolumeError>> Seek(OpenHandle handle, long offset, SeekTarget target) =>
        _files.Seek(handle, offset, target);

    /// <inheritdoc/>
    public ValueTask<Result<long, VolumeError>> CopyRange(
        OpenHandle source, long sourceOffset, OpenHandle target, long targetOffset, long length) =>
        RangeCopy.Run(this, source, sourceOffset, target, targetOffset, length);

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, Caller caller) =>
        new(_names.MakeDirectory(parent, name.ToArray(), mode, caller));

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeNode(
        InodeNumber parent, ReadOnlyMemory<byte> name, ObjectKind kind, uint mode, uint device, Caller caller) =>
        new(_names.MakeNode(parent, name.ToArray(), kind, mode, device, caller));

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeSymbolicLink(
        InodeNumber parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Caller caller) =>
        new(_names.MakeSymbolicLink(parent, name.ToArray(), target, caller));

    /// <inheritdoc/>
    public ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> ReadSymbolicLink(InodeNumber inode) =>
        new(_names.ReadSymbolicLink(inode));

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> Link(
        InodeNumber inode, InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        new(_names.Link(inode, parent, name));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Unlink(InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        new(_names.Unlink(parent, name));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> RemoveDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        new(_names.RemoveDirectory(parent, name));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Rename(
        InodeNumber fromParent,
        ReadOnlyMemory<byte> fromName,
        InodeNumber toParent,
        ReadOnlyMemory<byte> toName,
        RenameMode mode,
        Caller caller) => new(_names.Rename(fromParent, fromName, toParent, toName, mode));

    /// <inheritdoc/>
    public ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> GetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name) => new(_attributes.GetExtended(inode, name));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, AttributeWriteMode mode,
        Caller caller) =>
        new(_attributes.SetExtended(inode, name, value, mode));

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>> ListExtendedAttributes(
        InodeNumber inode) =>
        new(_attributes.ListExtended(inode));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> RemoveExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, Caller caller) => new(_attributes.RemoveExtended(inode, name));

    /// <inheritdoc/>
    public ValueTask<Result<RangeLock, VolumeError>> TestLock(OpenHandle handle, RangeLock wanted)
    {
        lock (_state.Gate)
        {
            return _state.FindHandle(handle) is { } open
                ? new(_state.Locks.Test(open.Target.Inode, wanted))
                : new(VolumeError.BadHandle);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SetLock(
        OpenHandle handle, RangeLock wanted, bool wholeFile, bool wait, CancellationToken cancellation)
    {
        InodeNumber inode;
        lock (_state.Gate)
        {
            if (_state.FindHandle(handle) is not { } open)
            {
                return new(VolumeError.BadHandle);
            }

            inode = open.Target.Inode;
        }

        return _state.Locks.Set(inode, wanted, wholeFile, wait, cancellation);
    }

    /// <inheritdoc/>
    public ValueTask<Result<VolumeSpace, VolumeError>> Space()
    {
        long objects;
        lock (_state.Gate)
        {
            objects = _state.Queries.Totals.Objects;
        }

        if (_state.Parts.Space is { } pool)
        {
            VolumeSpace all = pool() with { Objects = objects };
            return new(_state.Parts.HasPoolRoom() ? all : all with { FreeBytes = 0 });
        }

        Storage.Packs.StoreSpace space = _state.Parts.Store.Space;
        return new(new VolumeSpace(space.Allocated, space.Obtainable, objects));
    }

    /// <inheritdoc/>
    public IDisposable Watch(IVolumeWatcher watcher)
    {
        lock (_state.Gate)
        {
            _state.AddWatcher(watcher);
        }

        return new Subscription(_state, watcher);
    }

    /// <summary>Publishes what is unpublished and stops. The log is disposed by whoever opened it.</summary>
    public async ValueTask DisposeAsync()
    {
        _garbage.Dispose();
        await _conflicts.DisposeAsync();
        _stop.Cancel();
        await _stopped.Task;
        await _publisher.PublishAll(CancellationToken.None);
        IVolumeWatcher[] doors;
        lock (_state.Gate)
        {
            _state.IsStopping = true;
            doors = [.. _state.Watchers];
        }

        Array.ForEach(doors, door => door.Closed());
        _state.Parts.Log.Changed -= _remote.OnChange;
        _state.Parts.Log.Refolded -= _remote.OnRefold;
        _state.Parts.Log.Changed -= LookForFilesOfDrafts;
        _state.Parts.Log.HoldsBack = null;
        _state.Parts.Log.WithholdsWord = null;
        _publisher.Dispose();
        _stop.Dispose();
    }

    private async Task Publish()
    {
        try
        {
            await AbandonedPuts.Remove(this);
            await _publisher.Run(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The volume stops.
        }
        finally
        {
            _stopped.TrySetResult();
        }
    }

    private async ValueTask<Result<Unit, VolumeError>> Barrier()
    {
        Result<Unit, StoreError> synced = await _state.Journal.Journal.CommitAsync();
        return synced.IsOk ? Unit.Value : Errors.From(synced.Error);
    }

    private sealed class Subscription(VolumeState state, IVolumeWatcher watcher) : IDisposable
    {
        public void Dispose()
        {
            lock (state.Gate)
            {
                state.RemoveWatcher(watcher);
            }
        }
    }
}
