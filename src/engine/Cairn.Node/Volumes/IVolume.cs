using Cairn.Core.Primitives;

namespace Cairn.Node.Volumes;

/// <summary>The waist: the one interface through which every door (FUSE, CLI, S3, WebDAV) uses a volume.</summary>
/// <remarks>
/// Invariants: a call that returned Ok survives kill -9 of the daemon; what <see cref="Sync"/> covered survives power loss.
/// Names are bytes. Calls are safe from several threads; those that need no other node complete synchronously.
/// Errors are <see cref="VolumeError"/>; nothing throws but a bug.
/// </remarks>
public interface IVolume
{
    /// <summary>Which volume this is.</summary>
    VolumeId Id { get; }

    /// <summary>The volume's name.</summary>
    string Name { get; }

    /// <summary>The volume's past, or null if it keeps none.</summary>
    IVolumeHistory? History => null;

    /// <summary>The volume's rules, or null if it has none.</summary>
    IVolumeRules? Rules => null;

    /// <summary>The volume's past states as a whole, or null if it keeps none.</summary>
    IVolumeSnapshots? Snapshots => null;

    /// <summary>What of the volume's past is held for review, or null if it keeps none.</summary>
    IVolumeBrake? Brake => null;

    /// <summary>Who has the volume's files open, or null if nobody is asked.</summary>
    IVolumePresence? Presence => null;

    /// <summary>The volume's changes from a position on, or null if it keeps none.</summary>
    IVolumeFeed? Feed => null;

    /// <summary>Finds an entry.</summary>
    ValueTask<Result<ObjectAttributes, VolumeError>> Lookup(InodeNumber parent, ReadOnlyMemory<byte> name);

    /// <summary>What stat shows; sees the unpublished writes of this node's open handles.</summary>
    ValueTask<Result<ObjectAttributes, VolumeError>> GetAttributes(InodeNumber inode);

    /// <summary>Changes attributes, in one transaction. <paramref name="handle"/> may name the open file a size change belongs to.</summary>
    ValueTask<Result<ObjectAttributes, VolumeError>> SetAttributes(InodeNumber inode, AttributeChange change, OpenHandle? handle, Caller caller);

    /// <summary>Entries after <paramref name="cookie"/> (0: from the start), in a stable order, without "." and "..".</summary>
    /// <param name="countMax">At most so many; fewer than that means the end.</param>
    ValueTask<Result<IReadOnlyList<DirectoryEntry>, VolumeError>> ReadDirectory(InodeNumber directory, ulong cookie, int countMax);

    /// <summary>Makes and opens a file; without <see cref="OpenIntent.Exclusive"/> an existing one is opened.</summary>
    ValueTask<Result<OpenedFile, VolumeError>> Create(InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, OpenIntent intent, Caller caller);

    /// <summary>
    /// Whether what is renamed to a name stays on this node. Who writes beside a name first and renames then makes that with
    /// <see cref="OpenIntent.Here"/>: else others would have what is not for them.
    /// </summary>
    ValueTask<bool> StaysHere(InodeNumber parent, ReadOnlyMemory<byte> name) => new(false);

    /// <summary>Opens an existing file.</summary>
    ValueTask<Result<OpenedFile, VolumeError>> Open(InodeNumber inode, OpenIntent intent, Caller caller);

    /// <summary>Reads up to the buffer's length; fewer bytes only at the end of the file. Holes read as zeros.</summary>
    ValueTask<Result<int, VolumeError>> Read(OpenHandle handle, long offset, Memory<byte> buffer);

    /// <summary>Writes everything; acknowledged from this node's journal.</summary>
    ValueTask<Result<int, VolumeError>> Write(OpenHandle handle, long offset, ReadOnlyMemory<byte> data);

    /// <summary>A close(2) of one descriptor: publishing may begin; POSIX locks of the owner end. Never waits for other nodes.</summary>
    ValueTask<Result<Unit, VolumeError>> Flush(OpenHandle handle, ulong lockOwner);

    /// <summary>A barrier: everything written to this file before is on stable storage when it returns. Never publishes.</summary>
    ValueTask<Result<Unit, VolumeError>> Sync(OpenHandle handle, bool dataOnly);

    /// <summary>A barrier for a directory's entries.</summary>
    ValueTask<Result<Unit, VolumeError>> SyncDirectory(InodeNumber directory);

    /// <summary>The last close: the version is published.</summary>
    ValueTask<Result<Unit, VolumeError>> Release(OpenHandle handle);

    /// <summary>Allocates, punches or zeroes a range. Space is not reserved: a later write may still find none.</summary>
    ValueTask<Result<Unit, VolumeError>> Allocate(OpenHandle handle, long offset, long length, AllocateMode mode);

    /// <summary>Finds the next data or hole at or after an offset.</summary>
    ValueTask<Result<long, VolumeError>> Seek(OpenHandle handle, long offset, SeekTarget target);

    /// <summary>Copies a range by reference where it can.</summary>
    ValueTask<Result<long, VolumeError>> CopyRange(OpenHandle source, long sourceOffset, OpenHandle target, long targetOffset, long length);

    /// <summary>Makes a directory.</summary>
    ValueTask<Result<ObjectAttributes, VolumeError>> MakeDirectory(InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, Caller caller);

    /// <summary>Makes a pipe, socket name or device node (or an empty file).</summary>
    ValueTask<Result<ObjectAttributes, VolumeError>> MakeNode(
        InodeNumber parent, ReadOnlyMemory<byte> name, ObjectKind kind, uint mode, uint device, Caller caller);

    /// <summary>Makes a symbolic link.</summary>
    ValueTask<Result<ObjectAttributes, VolumeError>> MakeSymbolicLink(
        InodeNumber parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Caller caller);

    /// <summary>A symbolic link's target.</summary>
    ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> ReadSymbolicLink(InodeNumber inode);

    /// <summary>Adds an entry for an existing file (a hard link).</summary>
    ValueTask<Result<ObjectAttributes, VolumeError>> Link(InodeNumber inode, InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller);

    /// <summary>Removes an entry that is not a directory. Open handles keep working.</summary>
    ValueTask<Result<Unit, VolumeError>> Unlink(InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller);

    /// <summary>Removes an empty directory.</summary>
    ValueTask<Result<Unit, VolumeError>> RemoveDirectory(InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller);

    /// <summary>Moves an entry, in one transaction.</summary>
    ValueTask<Result<Unit, VolumeError>> Rename(
        InodeNumber fromParent, ReadOnlyMemory<byte> fromName, InodeNumber toParent, ReadOnlyMemory<byte> toName, RenameMode mode, Caller caller);

    /// <summary>An extended attribute's value.</summary>
    ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> GetExtendedAttribute(InodeNumber inode, ReadOnlyMemory<byte> name);

    /// <summary>Sets an extended attribute.</summary>
    ValueTask<Result<Unit, VolumeError>> SetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, AttributeWriteMode mode, Caller caller);

    /// <summary>The names of an object's extended attributes.</summary>
    ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>> ListExtendedAttributes(InodeNumber inode);

    /// <summary>Removes an extended attribute.</summary>
    ValueTask<Result<Unit, VolumeError>> RemoveExtendedAttribute(InodeNumber inode, ReadOnlyMemory<byte> name, Caller caller);

    /// <summary>A lock that would conflict, or one of kind None.</summary>
    ValueTask<Result<RangeLock, VolumeError>> TestLock(OpenHandle handle, RangeLock wanted);

    /// <summary>Takes or gives up a lock; with <paramref name="wait"/> it completes when the lock is had or the wait is cancelled.</summary>
    /// <param name="wholeFile">A flock(2), not a record lock: the two kinds do not see each other.</param>
    ValueTask<Result<Unit, VolumeError>> SetLock(OpenHandle handle, RangeLock wanted, bool wholeFile, bool wait, CancellationToken cancellation);

    /// <summary>Space, as statfs shows it.</summary>
    ValueTask<Result<VolumeSpace, VolumeError>> Space();

    /// <summary>Tells a door what changed by other nodes' (or other doors') doing, so that its caches can be dropped.</summary>
    /// <remarks>
    /// A door's own change may be told to it too, but only within the call that makes it, on the calling thread: there
    /// the door knows it for its own. What a door cannot infer from its call (a conflict name that goes) must be told.
    /// </remarks>
    /// <returns>Dispose to stop.</returns>
    IDisposable Watch(IVolumeWatcher watcher);
}

/// <summary>What a door wants to know. Calls come in order, from the engine; they must return at once.</summary>
public interface IVolumeWatcher
{
    /// <summary>An object's content or attributes changed. Nobody could ask for its new attributes before this is called.</summary>
    /// <param name="inode">The object.</param>
    /// <param name="contentChanged">Whether its content did.</param>
    /// <param name="grownFrom">Its length before, if somebody was told that and it is longer now.</param>
    void ObjectChanged(InodeNumber inode, bool contentChanged, long? grownFrom = null);

    /// <summary>What a name in a directory points at changed.</summary>
    void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name);

    /// <summary>Names may have gone that are not told one by one: all was folded again, and what is not there cannot be listed.</summary>
    void NamesChanged()
    {
    }

    /// <summary>The volume is closed, because it was removed or the node stops: nothing can be asked of it any more.</summary>
    void Closed()
    {
    }
}
