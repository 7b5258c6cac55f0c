using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Snapshots;

/// <content>Changes go to the present; the past refuses them. Handles are the volume's in both.</content>
public sealed partial class SnapshotsVolume
{
    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> SetAttributes(
        InodeNumber inode, AttributeChange change, OpenHandle? handle, Caller caller) => IsPast(inode)
            ? VolumeError.ReadOnly
            : await _present.SetAttributes(inode, change, handle, caller);

    /// <inheritdoc/>
    public async ValueTask<Result<OpenedFile, VolumeError>> Create(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, OpenIntent intent, Caller caller) =>
        Refusal(parent, name) is { } refused ? refused : await _present.Create(parent, name, mode, intent, caller);

    /// <inheritdoc/>
    public ValueTask<bool> StaysHere(InodeNumber parent, ReadOnlyMemory<byte> name) => _present.StaysHere(parent, name);

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> MakeDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, Caller caller) =>
        Refusal(parent, name) is { } refused ? refused : await _present.MakeDirectory(parent, name, mode, caller);

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> MakeNode(
        InodeNumber parent, ReadOnlyMemory<byte> name, ObjectKind kind, uint mode, uint device, Caller caller) =>
        Refusal(parent, name) is { } refused
            ? refused
            : await _present.MakeNode(parent, name, kind, mode, device, caller);

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> MakeSymbolicLink(
        InodeNumber parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Caller caller) =>
        Refusal(parent, name) is { } refused
            ? refused
            : await _present.MakeSymbolicLink(parent, name, target, caller);

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> Link(
        InodeNumber inode, InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        Refusal(parent, name) is { } refused ? refused
        : IsPast(inode) ? VolumeError.CrossesVolumes
        : await _present.Link(inode, parent, name, caller);

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, VolumeError>> Unlink(
        InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        IsPast(parent) ? VolumeError.ReadOnly : await _present.Unlink(parent, name, caller);

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, VolumeError>> RemoveDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller)
    {
        if (IsPast(parent))
        {
            return VolumeError.ReadOnly;
        }

        Result<Unit, VolumeError> removed = await _present.RemoveDirectory(parent, name, caller);
        return IsNotPresent(removed) && IsFolder(parent, name) ? VolumeError.NotPermitted : removed;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, VolumeError>> Rename(
        InodeNumber fromParent, ReadOnlyMemory<byte> fromName, InodeNumber toParent, ReadOnlyMemory<byte> toName,
        RenameMode mode, Caller caller) =>
        IsPast(fromParent) ? VolumeError.ReadOnly
        : Refusal(toParent, toName) is { } refused ? refused
        : await _present.Rename(fromParent, fromName, toParent, toName, mode, caller);

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, VolumeError>> SetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, AttributeWriteMode mode,
        Caller caller) => IsPast(inode)
            ? VolumeError.ReadOnly
            : await _present.SetExtendedAttribute(inode, name, value, mode, caller);

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, VolumeError>> RemoveExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, Caller caller) =>
        IsPast(inode) ? VolumeError.ReadOnly : await _present.RemoveExtendedAttribute(inode, name, caller);

    /// <inheritdoc/>
    public ValueTask<Result<int, VolumeError>> Read(OpenHandle handle, long offset, Memory<byte> buffer) =>
        _present.Read(handle, offset, buffer);

    /// <inheritdoc/>
    public ValueTask<Result<int, VolumeError>> Write(OpenHandle handle, long offset, ReadOnlyMemory<byte> data) =>
        _present.Write(handle, offset, data);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Flush(OpenHandle handle, ulong lockOwner) =>
        _present.Flush(handle, lockOwner);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Sync(OpenHandle handle, bool dataOnly) =>
        _present.Sync(handle, dataOnly);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SyncDirectory(InodeNumber directory) =>
        _present.SyncDirectory(directory);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Release(OpenHandle handle) => _present.Release(handle);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Allocate(
        OpenHandle handle, long offset, long length, AllocateMode mode) =>
        _present.Allocate(handle, offset, length, mode);

    /// <inheritdoc/>
    public ValueTask<Result<long, VolumeError>> Seek(OpenHandle handle, long offset, SeekTarget target) =>
        _present.Seek(handle, offset, target);

    /// <inheritdoc/>
    public ValueTask<Result<long, VolumeError>> CopyRange(
        OpenHandle source, long sourceOffset, OpenHandle target, long targetOffset, long length) =>
        _present.CopyRange(source, sourceOffset, target, targetOffset, length);

    /// <inheritdoc/>
    public ValueTask<Result<RangeLock, VolumeError>> TestLock(OpenHandle handle, RangeLock wanted) =>
        _present.TestLock(handle, wanted);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SetLock(
        OpenHandle handle, RangeLock wanted, bool wholeFile, bool wait, CancellationToken cancellation) =>
        _present.SetLock(handle, wanted, wholeFile, wait, cancellation);

    /// <inheritdoc/>
    public ValueTask<Result<VolumeSpace, VolumeError>> Space() => _present.Space();

    /// <inheritdoc/>
    public IDisposable Watch(IVolumeWatcher watcher) => _present.Watch(watcher);

    /// <summary>Why nothing can be made under a name, or null.</summary>
    private VolumeError? Refusal(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        IsPast(parent) ? VolumeError.ReadOnly
        : IsFolder(parent, name) ? VolumeError.AlreadyExists
        : null;
}
