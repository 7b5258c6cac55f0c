using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Tests;

/// <summary>
/// A volume that answers everything later, on another thread: what a door must bear from the real engine.
/// </summary>
internal sealed class LateVolume(IVolume inner) : IVolume
{
    public VolumeId Id => inner.Id;

    public string Name => inner.Name;

    public ValueTask<Result<ObjectAttributes, VolumeError>> Lookup(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        Later(() => inner.Lookup(parent, name));

    public ValueTask<Result<ObjectAttributes, VolumeError>> GetAttributes(InodeNumber inode) =>
        Later(() => inner.GetAttributes(inode));

    public ValueTask<Result<ObjectAttributes, VolumeError>> SetAttributes(
        InodeNumber inode, AttributeChange change, OpenHandle? handle, Caller caller) =>
        Later(() => inner.SetAttributes(inode, change, handle, caller));

    public ValueTask<Result<IReadOnlyList<DirectoryEntry>, VolumeError>> ReadDirectory(
        InodeNumber directory, ulong cookie, int countMax) =>
        Later(() => inner.ReadDirectory(directory, cookie, countMax));

    public ValueTask<Result<OpenedFile, VolumeError>> Create(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, OpenIntent intent, Caller caller) =>
        Later(() => inner.Create(parent, name, mode, intent, caller));

    public ValueTask<Result<OpenedFile, VolumeError>> Open(InodeNumber inode, OpenIntent intent, Caller caller) =>
        Later(() => inner.Open(inode, intent, caller));

    public ValueTask<Result<int, VolumeError>> Read(OpenHandle handle, long offset, Memory<byte> buffer) =>
        Later(() => inner.Read(handle, offset, buffer));

    public ValueTask<Result<int, VolumeError>> Write(OpenHandle handle, long offset, ReadOnlyMemory<byte> data) =>
        Later(() => inner.Write(handle, offset, data));

    public ValueTask<Result<Unit, VolumeError>> Flush(OpenHandle handle, ulong lockOwner) =>
        Later(() => inner.Flush(handle, lockOwner));

    public ValueTask<Result<Unit, VolumeError>> Sync(OpenHandle handle, bool dataOnly) =>
        Later(() => inner.Sync(handle, dataOnly));

    public ValueTask<Result<Unit, VolumeError>> SyncDirectory(InodeNumber directory) =>
        Later(() => inner.SyncDirectory(directory));

    public ValueTask<Result<Unit, VolumeError>> Release(OpenHandle handle) =>
        Later(() => inner.Release(handle));

    public ValueTask<Result<Unit, VolumeError>> Allocate(
        OpenHandle handle, long offset, long length, AllocateMode mode) =>
        Later(() => inner.Allocate(handle, offset, length, mode));

    public ValueTask<Result<long, VolumeError>> Seek(OpenHandle handle, long offset, SeekTarget target) =>
        Later(() => inner.Seek(handle, offset, target));

    public ValueTask<Result<long, VolumeError>> CopyRange(
        OpenHandle source, long sourceOffset, OpenHandle target, long targetOffset, long length) =>
        Later(() => inner.CopyRange(source, sourceOffset, target, targetOffset, length));

    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, Caller caller) =>
        Later(() => inner.MakeDirectory(parent, name, mode, caller));

    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeNode(
        InodeNumber parent, ReadOnlyMemory<byte> name, ObjectKind kind, uint mode, uint device, Caller caller) =>
        Later(() => inner.MakeNode(parent, name, kind, mode, device, caller));

    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeSymbolicLink(
        InodeNumber parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Caller caller) =>
        Later(() => inner.MakeSymbolicLink(parent, name, target, caller));

    public ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> ReadSymbolicLink(InodeNumber inode) =>
        Later(() => inner.ReadSymbolicLink(inode));

    public ValueTask<Result<ObjectAttributes, VolumeError>> Link(
        InodeNumber inode, InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        Later(() => inner.Link(inode, parent, name, caller));

    public ValueTask<Result<Unit, VolumeError>> Unlink(InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        Later(() => inner.Unlink(parent, name, caller));

    public ValueTask<Result<Unit, VolumeError>> RemoveDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        Later(() => inner.RemoveDirectory(parent, name, caller));

    public ValueTask<Result<Unit, VolumeError>> Rename(
        InodeNumber fromParent,
        ReadOnlyMemory<byte> fromName,
        InodeNumber toParent,
        ReadOnlyMemory<byte> toName,
        RenameMode mode,
        Caller caller) =>
        Later(() => inner.Rename(fromParent, fromName, toParent, toName, mode, caller));

    public ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> GetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name) =>
        Later(() => inner.GetExtendedAttribute(inode, name));

    public ValueTask<Result<Unit, VolumeError>> SetExtendedAttribute(
        InodeNumber inode,
        ReadOnlyMemory<byte> name,
        ReadOnlyMemory<byte> value,
        AttributeWriteMode mode,
        Caller caller) =>
        Later(() => inner.SetExtendedAttribute(inode, name, value, mode, caller));

    public ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>> ListExtendedAttributes(
        InodeNumber inode) =>
        Later(() => inner.ListExtendedAttributes(inode));

    public ValueTask<Result<Unit, VolumeError>> RemoveExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, Caller caller) =>
        Later(() => inner.RemoveExtendedAttribute(inode, name, caller));

    public ValueTask<Result<RangeLock, VolumeError>> TestLock(OpenHandle handle, RangeLock wanted) =>
        Later(() => inner.TestLock(handle, wanted));

    public ValueTask<Result<Unit, VolumeError>> SetLock(
        OpenHandle handle, RangeLock wanted, bool wholeFile, bool wait, CancellationToken cancellation) =>
        Later(() => inner.SetLock(handle, wanted, wholeFile, wait, cancellation));

    public ValueTask<Result<VolumeSpace, VolumeError>> Space() =>
        Later(() => inner.Space());

    public IDisposable Watch(IVolumeWatcher watcher) => inner.Watch(watcher);

    private static async ValueTask<T> Later<T>(Func<ValueTask<T>> call)
    {
        await Task.Yield();
        return await call();
    }
}
