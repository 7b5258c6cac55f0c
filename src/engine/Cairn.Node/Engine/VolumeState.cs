using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Drafts;
using Cairn.Node.Engine.Requests;
using Cairn.Node.Engine.Upkeep;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Ports;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Engine;

/// <summary>What a volume engine is made of.</summary>
public sealed record VolumeParts
{
    /// <summary>The volume's name.</summary>
    public required string Name { get; init; }

    /// <summary>How this node is called in the names of conflicting versions; empty for its id.</summary>
    public string AuthorName { get; init; } = string.Empty;

    /// <summary>When the volume was made: what its root shows until something in it changes.</summary>
    public WallTime Created { get; init; }

    /// <summary>The volume's logs and their fold. Whoever opened it disposes it after the engine.</summary>
    public required ReplicatedLog Log { get; init; }

    /// <summary>Where chunks are kept.</summary>
    public required ChunkStore Store { get; init; }

    /// <summary>Whether the volume is this node's alone: its chunks never leave the node.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Where chunks come from that are not here.</summary>
    public IChunkSource Source { get; init; } = new NoChunkSource();

    /// <summary>Who is told what was staged.</summary>
    public IReplicationQueue Replication { get; init; } = new NoReplication();

    /// <summary>The volume's index.</summary>
    public required IIndexStore Index { get; init; }

    /// <summary>Random ids.</summary>
    public required IEntropy Entropy { get; init; }

    /// <summary>Clocks and timers.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Work away from the loop.</summary>
    public required IWorkers Workers { get; init; }

    /// <summary>When drafts are published.</summary>
    public PublishOptions Publishing { get; init; } = new();

    /// <summary>Who writes the volume, for its garbage; null: garbage is collected only when somebody asks for it.</summary>
    public IGarbageMembers? Members { get; init; }

    /// <summary>How garbage is collected.</summary>
    public GarbageOptions Garbage { get; init; } = new();

    /// <summary>What a user could still write; null asks this node's chunk store.</summary>
    public Func<VolumeSpace>? Space { get; init; }

    /// <summary>Told the path of a file that was read here while no node that has its data could be reached. Any thread.</summary>
    public Action<string> Unreadable { get; init; } = static _ => { };

    /// <summary>Told when a write was refused for want of room. Any thread.</summary>
    public Action<WriteRefusal> Refused { get; init; } = static _ => { };

    /// <summary>Told in a sentence when a file is open for writing here and elsewhere. Any thread, under the gate.</summary>
    public Action<string> OpenTwice { get; init; } = static _ => { };

    /// <summary>Whether new chunks find nodes for all their copies; a volume without a pool always has room there.</summary>
    public Func<bool> HasPoolRoom { get; init; } = static () => true;

    /// <summary>Whether the host's disk is full, of whatever: nobody but its owner makes room then.</summary>
    public Func<bool> IsDiskFull { get; init; } = static () => false;

    /// <summary>Whether nobody takes what is written here any more: the node has left the pool, or the volume was removed.</summary>
    public Func<bool> IsClosed { get; init; } = static () => false;
}

/// <summary>The state that a volume's operations share, and what all of them need of it.</summary>
/// <remarks>Everything but <see cref="Parts"/> is guarded by <see cref="Gate"/>.</remarks>
internal sealed class VolumeState
{
    private readonly Dictionary<ObjectId, OpenObject> _open = [];
    private readonly Dictionary<ulong, HandleState> _handles = [];
    private readonly List<IVolumeWatcher> _watchers = [];
    private readonly FreshIds _objectIds;
    private readonly HandleNumbers _numbers;
    private readonly AuthorName _author;

    public VolumeState(VolumeParts parts)
    {
        Parts = parts;
        Queries = new TreeQueries(parts.Log.Fold.Table);
        Edits = new TreeEdits(Queries, () => Fresh());
        _objectIds = new FreshIds(parts.Entropy.Fill);
        Inodes = new InodeMap(Queries, parts.Index);
        Listings = new DirectoryListings(Queries);
        Condemned = new CondemnedChunks(parts.Log);
        Unnamed = new UnnamedChunks(Journal);
        DraftsOfRemoved = new DraftsOfRemoved(this);
        _author = new AuthorName(Queries, parts.Log.OwnLogId.Author, parts.AuthorName);
        _numbers = new HandleNumbers(parts.Index);
    }

    /// <summary>The collaborators.</summary>
    public VolumeParts Parts { get; }

    /// <summary>The lock.</summary>
    public Lock Gate => Parts.Log.Gate;

    /// <summary>The tree.</summary>
    public TreeQueries Queries { get; }

    /// <summary>Chunks that no new version may count on.</summary>
    public CondemnedChunks Condemned { get; }

    /// <summary>Chunks that no version names yet.</summary>
    public UnnamedChunks Unnamed { get; }

    /// <summary>Drafts that bring back what others removed.</summary>
    public DraftsOfRemoved DraftsOfRemoved { get; }

    /// <summary>Directories being listed.</summary>
    public DirectoryListings Listings { get; }

    /// <summary>Where drafts are written.</summary>
    public JournalWriter Journal => Parts.Log.JournalWriter;

    /// <summary>The volume's keys.</summary>
    public VolumeKeyring Keys => Parts.Log.Keys;

    /// <summary>Intents to primitives.</summary>
    public TreeEdits Edits { get; }

    /// <summary>Numbers and objects.</summary>
    public InodeMap Inodes { get; }

    /// <summary>Record locks and flocks.</summary>
    public LockManager Locks { get; } = new();

    /// <summary>Whether this node may edit the volume; what it wrote all the same would have no effect on any node.</summary>
    public bool MayWrite => Refusal is null;

    /// <summary>Why this node may not edit the volume at all; null: it may.</summary>
    public VolumeError? Refusal =>
        Parts.IsClosed() ? VolumeError.Left : !Parts.Log.MayWrite ? VolumeError.ReadOnly : null;

    /// <summary>Why this node may not edit an object; null: it may. Under the gate.</summary>
    public VolumeError? RefusalOf(ObjectId id) =>
        Refusal ?? (Parts.Log.OwnJudge?.Denies(id) == true ? VolumeError.AccessDenied : null);

    /// <summary>Whether the making of a file, or edits of it, may have been refused. Under the gate.</summary>
    public bool MayBeRefused(ObjectId file) =>
        !MayWrite || (Parts.Log.OwnJudge is { } judge && (Queries.Get(file) is null || judge.Denies(file)));

    /// <summary>Whether the daemon is stopping, or the volume was removed: its log may be closed any moment.</summary>
    public bool IsStopping { get; set; }

    /// <summary>Files with handles or drafts, in the order of their opening.</summary>
    public Dictionary<ObjectId, OpenObject>.ValueCollection OpenObjects => _open.Values;

    /// <summary>The claim of the wall clock.</summary>
    public WallTime Now => WallTime.From(Parts.Time.GetUtcNow());

    /// <summary>Monotonic milliseconds.</summary>
    public long NowMs => (long)Parts.Time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>Sixteen random bytes.</summary>
    public Bytes16 Fresh()
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        Parts.Entropy.Fill(bytes);
        return new Bytes16(bytes);
    }

    /// <summary>The file, if it is open or has a draft.</summary>
    public OpenObject? FindOpen(ObjectId id) => _open.GetValueOrDefault(id);

    /// <summary>The file, made known with the version that the tree shows.</summary>
    public OpenObject OpenFor(ObjectView view)
    {
        if (!_open.TryGetValue(view.Id, out OpenObject? target))
        {
            target = new OpenObject(view.Id, Inodes.NumberOf(view.Id));
            _open.Add(view.Id, target);
        }

        if (!target.IsPinned)
        {
            target.Rebase(view);
        }

        return target;
    }

    /// <summary>A past version, opened apart from its file: nothing writes to it, so it is never rebased or published.</summary>
    public OpenObject OpenPast(InodeNumber inode, HeadView? version)
    {
        OpenObject target = new(new ObjectId(Fresh()), inode)
        {
            BaseHeads = version is null ? [] : [version.Version],
            BaseRoot = version?.Manifest ?? default,
            BaseSize = version?.SizeBytes ?? 0,
        };
        _open.Add(target.Id, target);
        return target;
    }

    /// <summary>Forgets a file that nothing keeps open.</summary>
    public void CloseIfIdle(OpenObject target)
    {
        if (target.IsIdle)
        {
            _open.Remove(target.Id);
        }
    }

    /// <summary>Hands out a handle.</summary>
    public Result<OpenHandle, VolumeError> AddHandle(OpenObject target, OpenIntent intent)
    {
        if (!_numbers.Next().TryGet(out ulong number, out VolumeError error))
        {
            return error;
        }

        HandleState state = new(target, intent);
        _handles.Add(number, state);
        target.Handles++;
        target.WritersSinceMs = target.Writers == 0 ? NowMs : target.WritersSinceMs;
        target.Writers += state.CanWrite ? 1 : 0;
        return new OpenHandle(number);
    }

    /// <summary>The handle's state, or null.</summary>
    public HandleState? FindHandle(OpenHandle handle) => _handles.GetValueOrDefault(handle.Value);

    /// <summary>Takes a handle back.</summary>
    public HandleState? RemoveHandle(OpenHandle handle)
    {
        if (!_handles.Remove(handle.Value, out HandleState? state))
        {
            return null;
        }

        state.Target.Handles--;
        state.Target.Writers -= state.CanWrite ? 1 : 0;
        return state;
    }

    /// <summary>Carries out an intent: journaled and folded when this returns well.</summary>
    /// <param name="intent">What the tree's rules made of the caller's wish.</param>
    public VolumeError? Commit(Result<ImmutableArray<Primitive>, TreeError> intent)
    {
        if (intent is not { IsOk: true, Value.IsEmpty: false })
        {
            return Append(intent, default);
        }

        return Refusal is { } refusal ? refusal
            : Parts.Log.OwnJudge?.Denies(intent.Value) == true ? VolumeError.AccessDenied
            : Append(intent, default);
    }

    /// <summary>
    /// Whether nobody wants what a draft holds: its file has no entry any more, and its writer knew, or was who removed it.
    /// </summary>
    /// <remarks>
    /// Another member that removed the file cannot have seen the draft: an edit of what somebody removed without having seen
    /// it brings the file back, so the draft is published.
    /// </remarks>
    /// <param name="file">Whose draft.</param>
    /// <param name="draft">The draft.</param>
    public bool IsUnwanted(ObjectId file, Draft draft) => Queries.Get(file) is not { } view
        || (view.IsDetached
            && (draft.IsOfRemoved || Queries.RemovedBy(view.Owner)?.Log.Author == Parts.Log.OwnLogId.Author));

    /// <summary>
    /// Names the version of a draft: also one that is refused, because what was acknowledged is in a version.
    /// </summary>
    /// <param name="file">Whose version.</param>
    /// <param name="draft">What the version was made of; its journal records become void with it.</param>
    /// <param name="baseHeads">What it was made from.</param>
    /// <param name="version">The version.</param>
    /// <returns>NotFound when nobody wants it: it is to be dropped.</returns>
    public VolumeError? CommitDraft(
        ObjectId file, Draft draft, ImmutableArray<VersionId> baseHeads, NewVersion version)
    {
        EndedLayer ended = new(draft.Version, draft.Notes[0]);
        if (MayBeRefused(file))
        {
            return Append(TreeEdits.Unchecked(file, baseHeads, version), ended);
        }

        if (IsUnwanted(file, draft))
        {
            return VolumeError.NotFound;
        }

        return Append(
            Queries.Get(file) is { IsDetached: true } removed
                ? TreeEdits.Unchecked(removed.Owner, baseHeads, version)
                : Edits.WriteVersion(file, baseHeads, version),
            ended);
    }

    private VolumeError? Append(Result<ImmutableArray<Primitive>, TreeError> intent, EndedLayer ended)
    {
        if (!intent.TryGet(out ImmutableArray<Primitive> primitives, out TreeError error))
        {
            return Errors.From(error);
        }

        if (primitives.IsEmpty)
        {
            return null;
        }

        if (IsStopping)
        {
            return VolumeError.Stopping;
        }

        Result<TransactionId, StoreError> appended = Parts.Log.Append(_author.Sign(primitives), Now, ended);
        return appended.IsOk ? null : Errors.From(appended.Error);
    }

    /// <summary>Writes how the conflict of a name ended, and tells doors of everything that shared the name.</summary>
    public VolumeError? EndConflict(
        ObjectId parent, ReadOnlyMemory<byte> name, Result<ImmutableArray<Primitive>, TreeError> ending)
    {
        ImmutableArray<EntryView> sides = Queries.Sides(parent, name);
        if (Commit(ending) is { } failed)
        {
            return failed;
        }

        foreach (EntryView side in sides)
        {
            TellObject(Inodes.NumberOf(side.Object), contentChanged: true);
            TellEntry(Inodes.NumberOf(parent), side.Name);
        }

        return null;
    }

    /// <summary>A new object's id, owner and group: a set-group-id directory hands its group down, and directories the bit.</summary>
    public NewObject NewIn(ObjectId directory, uint mode, Caller caller, bool isDirectory)
    {
        const uint setGroupId = 0x400;
        uint group = caller.GroupId;
        mode &= 0xFFF;
        if (Queries.Get(directory) is { } parent && (parent.Mode & setGroupId) != 0)
        {
            group = parent.GroupId;
            mode |= isDirectory ? setGroupId : 0;
        }

        ObjectId id = new(_objectIds.Next());
        while (Inodes.IsKnownTaken(id))
        {
            id = new ObjectId(_objectIds.Next());
        }

        return new NewObject(id, mode, caller.UserId, group, Now);
    }

    /// <summary>When an object was modified and changed. A root in which nothing was done yet has no record of that.</summary>
    public (WallTime Modified, WallTime Changed) TimesOf(ObjectView view)
    {
        bool isUntouched = view.Id == TreeQueries.Root && view.Changed == default;
        return (isUntouched && view.Modified == default ? Parts.Created : view.Modified,
            isUntouched ? Parts.Created : view.Changed);
    }

    /// <summary>What stat shows of an object, this node's drafts included.</summary>
    public ObjectAttributes Describe(ObjectView view)
    {
        OpenObject? open = FindOpen(view.Id);
        long size = open is { IsPinned: true } ? open.SizeBytes : view.SizeBytes;
        Draft? draft = open?.Newest;
        (WallTime modified, WallTime changed) = TimesOf(view);
        if (draft is not null)
        {
            modified = draft.Modified;
            changed = draft.Modified > changed ? draft.Modified : changed;
        }

        return new ObjectAttributes
        {
            Inode = Inodes.HandOut(view.Id, view.Head is null && draft is null ? null : size),
            Kind = (ObjectKind)view.Kind,
            Mode = view.Mode,
            UserId = view.UserId,
            GroupId = view.GroupId,
            LinkCount = view.LinkCount,
            SizeBytes = size,
            DataBytes = draft is null ? view.DataBytes : Math.Min(size, DataBytesOf(open!, view)),
            Device = view.Device,
            Accessed = modified,
            Modified = modified,
            Changed = changed,
        };
    }

    /// <summary>The base's data and the drafts': a byte that both have counts twice until the draft is published.</summary>
    private static long DataBytesOf(OpenObject open, ObjectView view) =>
        (open.BaseSize == 0 ? 0 : view.DataBytes)
        + (open.Frozen?.Map.DataBytes ?? 0) + (open.Active?.Map.DataBytes ?? 0);

    /// <summary>The object of a number, or an error.</summary>
    public Result<ObjectView, VolumeError> View(InodeNumber inode) =>
        IsStopping ? VolumeError.Stopping
        : Inodes.ObjectOf(inode) is { } id && Queries.Get(id) is { } view && IsShown(view) ? view
        : VolumeError.NotFound;

    /// <summary>The id of a directory's number, or an error.</summary>
    public Result<ObjectId, VolumeError> Directory(InodeNumber inode)
    {
        if (!View(inode).TryGet(out ObjectView? view, out VolumeError error))
        {
            return error;
        }

        return view.Kind == TreeKind.Directory ? view.Id : VolumeError.NotADirectory;
    }

    /// <summary>The doors that are told of changes.</summary>
    public IReadOnlyList<IVolumeWatcher> Watchers => _watchers;

    /// <summary>Adds a watcher.</summary>
    public void AddWatcher(IVolumeWatcher watcher) => _watchers.Add(watcher);

    /// <summary>Removes a watcher.</summary>
    public void RemoveWatcher(IVolumeWatcher watcher) => _watchers.Remove(watcher);

    /// <summary>Tells every door.</summary>
    public void TellObject(InodeNumber inode, bool contentChanged)
    {
        long? grownFrom = contentChanged && _watchers.Count > 0 ? this.GrownFrom(inode) : null;
        foreach (IVolumeWatcher watcher in _watchers)
        {
            watcher.ObjectChanged(inode, contentChanged, grownFrom);
        }
    }

    /// <summary>Tells every door that a file holds another version; who only reads it reads that one from now on.</summary>
    public void TellVersion(ObjectId id)
    {
        if (FindOpen(id) is { } open)
        {
            open.MayHaveNewer = open.IsPinned;
            if (!open.IsPinned && Queries.Get(id) is { } view)
            {
                open.Rebase(view);
            }
        }

        TellObject(Inodes.NumberOf(id), contentChanged: true);
    }

    /// <summary>
    /// Nothing may keep a file's base any more: a version that came meanwhile is shown from now on, and doors must hear of it
    /// once more, since what they asked for until now was the base.
    /// </summary>
    public void TellIfUnpinned(OpenObject target)
    {
        if (target is { IsPinned: false, MayHaveNewer: true })
        {
            target.MayHaveNewer = false;
            if (Queries.Get(target.Id) is { } view && !target.Shows(view))
            {
                TellVersion(target.Id);
            }
        }
    }

    /// <summary>Tells every door.</summary>
    public void TellEntry(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        foreach (IVolumeWatcher watcher in _watchers)
        {
            watcher.EntryChanged(parent, name);
        }
    }

    /// <summary>A file without an entry is there only for those that have it open.</summary>
    private bool IsShown(ObjectView view) => !view.IsDetached || FindOpen(view.Id) is not null;
}
