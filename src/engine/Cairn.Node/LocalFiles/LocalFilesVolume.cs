using Cairn.Core.Primitives;
using Cairn.Node.Engine;
using Cairn.Node.Engine.Requests;
using Cairn.Node.Volumes;

namespace Cairn.Node.LocalFiles;

/// <summary>A shared volume with the files laid into it that a `.cairnignore` keeps on this node.</summary>
/// <remarks>
/// Local objects live in a private volume beside the shared one, which doors do not see: their inode numbers, handles and
/// cookies have one bit more. For every shared folder with local names the private volume's root has a folder that is called
/// by the shared folder's number; below a local folder everything is local. A name is where it is: one that is shared already
/// stays shared though a pattern fits it now, and the other way round; patterns decide for new names and for renames.
/// docs/decisions/local-files.md. Thread: any, as the two volumes.
/// </remarks>
public sealed partial class LocalFilesVolume : IVolume
{
    private const ulong LocalBit = 1UL << 63;
    private const ulong LocalCookie = 1UL << 61;
    private const int CarriedMax = 1 << 16;

    private readonly VolumeEngine _shared;
    private readonly PrivateVolume _private;
    private readonly IgnoreRules _rules;
    private readonly IDisposable _watch;
    private readonly Dictionary<InodeNumber, InodeNumber> _carried = [];
    private volatile bool _hasCarried;

    /// <summary>Lays the private volume over the shared one.</summary>
    internal LocalFilesVolume(VolumeEngine shared, PrivateVolume local)
    {
        _shared = shared;
        _private = local;
        _rules = new IgnoreRules(shared);
        _watch = shared.Watch(_rules);
        local.Opened = OnOpened;
        if (local.Current is { } open)
        {
            OnOpened(open);
        }
    }

    /// <inheritdoc/>
    public VolumeId Id => _shared.Id;

    /// <inheritdoc/>
    public string Name => _shared.Name;

    /// <inheritdoc/>
    /// <remarks>Local files have none.</remarks>
    public IVolumeHistory? History => _shared.History;

    /// <inheritdoc/>
    public IVolumeRules? Rules => _shared.Rules;

    /// <inheritdoc/>
    public IVolumeBrake? Brake => _shared.Brake;

    /// <inheritdoc/>
    public IVolumePresence? Presence => _shared.Presence;

    /// <inheritdoc/>
    public IVolumeFeed? Feed => _shared.Feed;

    /// <summary>What all nodes see.</summary>
    public VolumeEngine Shared => _shared;

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> Lookup(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        if (IsLocal(parent))
        {
            return Marked(await Engine(parent).Lookup(Plain(parent), name));
        }

        Result<ObjectAttributes, VolumeError> shared = await _shared.Lookup(parent, name);
        return !shared.IsOk && shared.Error == VolumeError.NotFound && await FolderOf(parent) is { } folder
            ? Marked(await Engine(folder).Lookup(Plain(folder), name))
            : shared;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> GetAttributes(InodeNumber inode) =>
        Marked(await Engine(inode).GetAttributes(Plain(inode)), inode);

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> SetAttributes(
        InodeNumber inode, AttributeChange change, OpenHandle? handle, Caller caller)
    {
        OpenHandle? plain = handle is { } open ? Plain(open) : null;
        return Marked(await Engine(inode).SetAttributes(Plain(inode), change, plain, caller), inode);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<IReadOnlyList<DirectoryEntry>, VolumeError>> ReadDirectory(
        InodeNumber directory, ulong cookie, int countMax)
    {
        if (IsLocal(directory))
        {
            return Marked(await Engine(directory).ReadDirectory(Plain(directory), cookie, countMax), 0);
        }

        List<DirectoryEntry> entries = [];
        if (cookie < LocalCookie)
        {
            Result<IReadOnlyList<DirectoryEntry>, VolumeError> shared =
                await _shared.ReadDirectory(directory, cookie, countMax);
            if (!shared.IsOk || shared.Value.Count == countMax || await FolderOf(directory) is null)
            {
                return shared;
            }

            entries.AddRange(shared.Value);
        }

        return await FolderOf(directory) is { } folder
            ? await AddLocal(entries, directory, folder, cookie < LocalCookie ? 0 : cookie & ~LocalCookie, countMax)
            : entries;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<OpenedFile, VolumeError>> Create(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, OpenIntent intent, Caller caller)
    {
        bool isHere = (intent & OpenIntent.Here) != 0 && !IsLocal(parent);
        InodeNumber place = isHere && await MakeFolder(parent) is { } folder
            ? folder
            : await PlaceOf(parent, name, isFolder: false);
        return Marked(await Engine(place).Create(Plain(place), name, mode, intent, caller), place);
    }

    /// <inheritdoc/>
    public async ValueTask<bool> StaysHere(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        IsLocal(await PlaceOf(parent, name, isFolder: false, staysLocal: false));

    /// <inheritdoc/>
    public async ValueTask<Result<OpenedFile, VolumeError>> Open(InodeNumber inode, OpenIntent intent, Caller caller) =>
        Marked(await Engine(inode).Open(Plain(inode), intent, caller), inode);

    /// <inheritdoc/>
    public ValueTask<Result<int, VolumeError>> Read(OpenHandle handle, long offset, Memory<byte> buffer) =>
        Engine(handle).Read(Plain(handle), offset, buffer);

    /// <inheritdoc/>
    public ValueTask<Result<int, VolumeError>> Write(OpenHandle handle, long offset, ReadOnlyMemory<byte> data) =>
        Engine(handle).Write(Plain(handle), offset, data);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Flush(OpenHandle handle, ulong lockOwner) =>
        Engine(handle).Flush(Plain(handle), lockOwner);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Sync(OpenHandle handle, bool dataOnly) =>
        Engine(handle).Sync(Plain(handle), dataOnly);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SyncDirectory(InodeNumber directory) =>
        Engine(directory).SyncDirectory(Plain(directory));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Release(OpenHandle handle) => Engine(handle).Release(Plain(handle));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Allocate(
        OpenHandle handle, long offset, long length, AllocateMode mode) =>
        Engine(handle).Allocate(Plain(handle), offset, length, mode);

    /// <inheritdoc/>
    public ValueTask<Result<long, VolumeError>> Seek(OpenHandle handle, long offset, SeekTarget target) =>
        Engine(handle).Seek(Plain(handle), offset, target);

    /// <inheritdoc/>
    public ValueTask<Result<long, VolumeError>> CopyRange(
        OpenHandle source, long sourceOffset, OpenHandle target, long targetOffset, long length) =>
        RangeCopy.Run(this, source, sourceOffset, target, targetOffset, length);

    /// <inheritdoc/>
    public async ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> GetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name) => await Engine(inode).GetExtendedAttribute(Plain(inode), name);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, AttributeWriteMode mode,
        Caller caller) => Engine(inode).SetExtendedAttribute(Plain(inode), name, value, mode, caller);

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>> ListExtendedAttributes(
        InodeNumber inode) => Engine(inode).ListExtendedAttributes(Plain(inode));

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> RemoveExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, Caller caller) =>
        Engine(inode).RemoveExtendedAttribute(Plain(inode), name, caller);

    /// <inheritdoc/>
    public ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> ReadSymbolicLink(InodeNumber inode) =>
        Engine(inode).ReadSymbolicLink(Plain(inode));

    /// <inheritdoc/>
    public ValueTask<Result<RangeLock, VolumeError>> TestLock(OpenHandle handle, RangeLock wanted) =>
        Engine(handle).TestLock(Plain(handle), wanted);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SetLock(
        OpenHandle handle, RangeLock wanted, bool wholeFile, bool wait, CancellationToken cancellation) =>
        Engine(handle).SetLock(Plain(handle), wanted, wholeFile, wait, cancellation);

    /// <inheritdoc/>
    public ValueTask<Result<VolumeSpace, VolumeError>> Space() => _shared.Space();

    /// <inheritdoc/>
    public IDisposable Watch(IVolumeWatcher watcher) => new Subscription(this, watcher);

    /// <summary>Stops following the shared volume.</summary>
    internal void Close() => _watch.Dispose();

    private static bool IsLocal(InodeNumber inode) => (inode.Value & LocalBit) != 0;

    private InodeNumber Plain(InodeNumber inode) => new(At(inode).Value & ~LocalBit);

    private static OpenHandle Plain(OpenHandle handle) => new(handle.Value & ~LocalBit);

    private static InodeNumber Mark(InodeNumber inode) => new(inode.Value | LocalBit);

    private static ObjectAttributes Mark(ObjectAttributes attributes) =>
        attributes with { Inode = Mark(attributes.Inode) };

    private static Result<ObjectAttributes, VolumeError> Marked(Result<ObjectAttributes, VolumeError> result) =>
        result.IsOk ? Mark(result.Value) : result;

    private Result<ObjectAttributes, VolumeError> Marked(
        Result<ObjectAttributes, VolumeError> result, InodeNumber by) => IsLocal(At(by)) ? Marked(result) : result;

    private Result<OpenedFile, VolumeError> Marked(Result<OpenedFile, VolumeError> result, InodeNumber by) =>
        result.IsOk && IsLocal(At(by))
            ? result.Value with
            {
                Handle = new OpenHandle(result.Value.Handle.Value | LocalBit),
                Attributes = Mark(result.Value.Attributes),
            }
            : result;

    private static Result<IReadOnlyList<DirectoryEntry>, VolumeError> Marked(
        Result<IReadOnlyList<DirectoryEntry>, VolumeError> result, ulong cookieBit) => result.IsOk
            ? Result<IReadOnlyList<DirectoryEntry>, VolumeError>.Ok(
                [.. result.Value.Select(entry => Mark(entry, cookieBit))])
            : result;

    private static DirectoryEntry Mark(DirectoryEntry entry, ulong cookieBit) =>
        entry with { Attributes = Mark(entry.Attributes), Cookie = entry.Cookie | cookieBit };

    /// <summary>The volume of a number; a local one was given out, so the private volume is open.</summary>
    private VolumeEngine Engine(InodeNumber inode) => IsLocal(At(inode)) ? _private.Open() ?? _shared : _shared;

    /// <summary>Where the file of a number is now: a door goes on with the number it had when the file crossed over.</summary>
    private InodeNumber At(InodeNumber inode)
    {
        if (_hasCarried)
        {
            lock (_carried)
            {
                while (_carried.TryGetValue(inode, out InodeNumber now))
                {
                    inode = now;
                }
            }
        }

        return inode;
    }

    private void NoteCarried(InodeNumber from, InodeNumber to)
    {
        lock (_carried)
        {
            if (_carried.Count >= CarriedMax)
            {
                _carried.Clear();
            }

            _carried[from] = to;
            _hasCarried = true;
        }
    }

    private VolumeEngine Engine(OpenHandle handle) =>
        (handle.Value & LocalBit) != 0 ? _private.Open() ?? _shared : _shared;

    private async ValueTask<Result<IReadOnlyList<DirectoryEntry>, VolumeError>> AddLocal(
        List<DirectoryEntry> entries, InodeNumber directory, InodeNumber folder, ulong cookie, int countMax)
    {
        // A page is filled up: one that is not full says that the folder ends.
        while (entries.Count < countMax)
        {
            int wanted = countMax - entries.Count;
            Result<IReadOnlyList<DirectoryEntry>, VolumeError> local = Marked(
                await Engine(folder).ReadDirectory(Plain(folder), cookie, wanted), LocalCookie);
            if (!local.IsOk)
            {
                return local;
            }

            foreach (DirectoryEntry entry in local.Value)
            {
                // A shared name hides a local one: it may have come from another node since.
                if (!(await _shared.Lookup(directory, entry.Name)).IsOk)
                {
                    entries.Add(entry);
                }
            }

            if (local.Value.Count < wanted)
            {
                break;
            }

            cookie = local.Value[^1].Cookie & ~LocalCookie;
        }

        return entries;
    }

    private void OnOpened(VolumeEngine local)
    {
        lock (_subscriptions)
        {
            foreach (Subscription subscription in _subscriptions)
            {
                subscription.Follow(local);
            }
        }
    }
}
