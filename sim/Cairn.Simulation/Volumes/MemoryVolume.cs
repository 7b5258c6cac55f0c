using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Volumes;

/// <summary>A complete volume in memory: the doors' test double, and what the real engine is compared with.</summary>
/// <remarks>
/// Every call completes synchronously except a lock that waits. Watchers hear of every change, during the call that
/// made it. Lock order: the volume's gate, then an object's.
/// </remarks>
public sealed class MemoryVolume : IVolume
{
    private readonly Lock _gate = new();
    private readonly MemoryNamespace _tree;
    private readonly MemoryHandles _handles;
    private readonly MemoryWatchers _watchers = new();

    /// <summary>An empty volume.</summary>
    /// <param name="name">Shown to people.</param>
    /// <param name="seed">From which inode numbers are drawn.</param>
    /// <param name="time">For times of objects.</param>
    public MemoryVolume(string name, ulong seed, TimeProvider time)
    {
        Span<byte> id = stackalloc byte[VolumeId.Size];
        new Prng(seed).Fill(id);
        Id = new VolumeId(id);
        Name = name;
        _tree = new MemoryNamespace(seed, time);
        _handles = new MemoryHandles(_tree, _watchers);
    }

    /// <inheritdoc/>
    public VolumeId Id { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>How much it takes, in bytes; more gives <see cref="VolumeError.NoSpace"/>. Default 1 TiB.</summary>
    public long CapacityBytes { get => _handles.CapacityBytes; set => _handles.CapacityBytes = value; }

    /// <summary>How many files are open.</summary>
    public int OpenHandles
    {
        get
        {
            lock (_gate)
            {
                return _handles.Count;
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> Lookup(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        lock (_gate)
        {
            return new(_tree.Find(parent, name.Span).TryGet(out MemoryEntry? entry, out VolumeError error)
                ? entry.Target.Attributes() : error);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> GetAttributes(InodeNumber inode)
    {
        lock (_gate)
        {
            return new(AttributesOf(_tree.Get(inode)));
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> SetAttributes(
        InodeNumber inode, AttributeChange change, OpenHandle? handle, Caller caller)
    {
        lock (_gate)
        {
            Result<MemoryObject, VolumeError> found = _tree.Get(inode);
            if (found.IsOk && !_handles.Change(found.Value, change).TryGet(out _, out VolumeError error))
            {
                return new(error);
            }

            _watchers.ObjectChanged(inode, contentChanged: change.SizeBytes is not null);
            return new(AttributesOf(found));
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<DirectoryEntry>, VolumeError>> ReadDirectory(
        InodeNumber directory, ulong cookie, int countMax)
    {
        lock (_gate)
        {
            if (!_tree.GetDirectory(directory).TryGet(out MemoryObject? found, out VolumeError error))
            {
                return new(error);
            }

            List<DirectoryEntry> entries = [];
            foreach (MemoryEntry entry in found.Entries!.After(cookie))
            {
                if (entries.Count == countMax)
                {
                    break;
                }

                entries.Add(new DirectoryEntry(entry.Name, entry.Target.Attributes(), entry.Cookie));
            }

            return new(entries);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<OpenedFile, VolumeError>> Create(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, OpenIntent intent, Caller caller)
    {
        lock (_gate)
        {
            Result<MemoryEntry, VolumeError> existing = _tree.Find(parent, name.Span);
            if (existing.IsOk)
            {
                return new(intent.HasFlag(OpenIntent.Exclusive)
                    ? VolumeError.AlreadyExists : _handles.Open(existing.Value.Target, intent));
            }

            Result<MemoryObject, VolumeError> made = _tree.Make(parent, name.Span, ObjectKind.File, mode, caller);
            if (!made.IsOk)
            {
                return new(made.Error);
            }

            _watchers.EntryChanged(parent, name);
            return new(_handles.Open(made.Value, intent));
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<OpenedFile, VolumeError>> Open(InodeNumber inode, OpenIntent intent, Caller caller)
    {
        lock (_gate)
        {
            if (!_tree.Get(inode).TryGet(out MemoryObject? found, out VolumeError error))
            {
                return new(error);
            }

            Result<OpenedFile, VolumeError> opened = _handles.Open(found, intent);
            if (opened.IsOk && intent.HasFlag(OpenIntent.Truncate))
            {
                _watchers.ObjectChanged(inode, contentChanged: true);
            }

            return new(opened);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<int, VolumeError>> Read(OpenHandle handle, long offset, Memory<byte> buffer) =>
        new(Find(handle, OpenIntent.Read).TryGet(out MemoryHandle? open, out VolumeError error)
            ? open.Read(offset, buffer.Span) : error);

    /// <inheritdoc/>
    public ValueTask<Result<int, VolumeError>> Write(OpenHandle handle, long offset, ReadOnlyMemory<byte> data)
    {
        if (!Find(handle, OpenIntent.Write).TryGet(out MemoryHandle? open, out VolumeError error))
        {
            return new(error);
        }

        return new(_handles.Write(open, offset, data.Span));
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Flush(OpenHandle handle, ulong lockOwner)
    {
        if (!Find(handle, OpenIntent.None).TryGet(out MemoryHandle? open, out VolumeError error))
        {
            return new(error);
        }

        _handles.Locks.ReleaseOwner(open.Target.Inode, lockOwner);
        return new(Unit.Value);
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Sync(OpenHandle handle, bool dataOnly) =>
        new(Find(handle, OpenIntent.None).TryGet(out _, out VolumeError error) ? Unit.Value : error);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SyncDirectory(InodeNumber directory)
    {
        lock (_gate)
        {
            return new(_tree.GetDirectory(directory).TryGet(out _, out VolumeError error) ? Unit.Value : error);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Release(OpenHandle handle)
    {
        lock (_gate)
        {
            return new(_handles.Release(handle));
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Allocate(OpenHandle handle, long offset, long length, AllocateMode mode)
    {
        if (!Find(handle, OpenIntent.Write).TryGet(out MemoryHandle? open, out VolumeError error))
        {
            return new(error);
        }

        Result<Unit, VolumeError> done = _handles.Allocate(open, offset, length, mode);
        if (done.IsOk)
        {
            _watchers.ObjectChanged(open.Target.Inode, contentChanged: true);
        }

        return new(done);
    }

    /// <inheritdoc/>
    public ValueTask<Result<long, VolumeError>> Seek(OpenHandle handle, long offset, SeekTarget target) =>
        new(Find(handle, OpenIntent.None).TryGet(out MemoryHandle? open, out VolumeError error)
            ? open.Seek(offset, target) : error);

    /// <inheritdoc/>
    public ValueTask<Result<long, VolumeError>> CopyRange(
        OpenHandle source, long sourceOffset, OpenHandle target, long targetOffset, long length)
    {
        if (!Find(source, OpenIntent.Read).TryGet(out MemoryHandle? from, out VolumeError error)
            || !Find(target, OpenIntent.Write).TryGet(out MemoryHandle? to, out error))
        {
            return new(error);
        }

        return new(_handles.Copy(from, sourceOffset, to, targetOffset, length));
    }

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, Caller caller) =>
        Make(parent, name, ObjectKind.Directory, mode, 0, null, caller);

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeNode(
        InodeNumber parent, ReadOnlyMemory<byte> name, ObjectKind kind, uint mode, uint device, Caller caller) =>
        kind is ObjectKind.Directory or ObjectKind.SymbolicLink
            ? new(VolumeError.InvalidArgument)
            : Make(parent, name, kind, mode, device, null, caller);

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> MakeSymbolicLink(
        InodeNumber parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Caller caller) =>
        Make(parent, name, ObjectKind.SymbolicLink, 0x1FF, 0, target.ToArray(), caller);

    /// <inheritdoc/>
    public ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> ReadSymbolicLink(InodeNumber inode)
    {
        lock (_gate)
        {
            if (!_tree.Get(inode).TryGet(out MemoryObject? found, out VolumeError error))
            {
                return new(error);
            }

            return new(found.Kind == ObjectKind.SymbolicLink
                ? Result<ReadOnlyMemory<byte>, VolumeError>.Ok(found.LinkTarget) : VolumeError.InvalidArgument);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<ObjectAttributes, VolumeError>> Link(
        InodeNumber inode, InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller)
    {
        lock (_gate)
        {
            Result<MemoryObject, VolumeError> linked = _tree.Link(inode, parent, name.Span);
            if (linked.IsOk)
            {
                _watchers.EntryChanged(parent, name);
                _watchers.ObjectChanged(inode, contentChanged: false);
            }

            return new(AttributesOf(linked));
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Unlink(InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        Remove(parent, name, wantsDirectory: false);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> RemoveDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller) =>
        Remove(parent, name, wantsDirectory: true);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> Rename(
        InodeNumber fromParent,
        ReadOnlyMemory<byte> fromName,
        InodeNumber toParent,
        ReadOnlyMemory<byte> toName,
        RenameMode mode,
        Caller caller)
    {
        lock (_gate)
        {
            Result<Unit, VolumeError> done = _tree.Rename(fromParent, fromName.Span, toParent, toName.Span, mode);
            if (done.IsOk)
            {
                _watchers.EntryChanged(fromParent, fromName);
                _watchers.EntryChanged(toParent, toName);
            }

            return new(done);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> GetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name)
    {
        lock (_gate)
        {
            if (!_tree.Get(inode).TryGet(out MemoryObject? found, out VolumeError error))
            {
                return new(error);
            }

            return new(found.ExtendedAttributes.Count != 0
                && found.ExtendedAttributes.TryGetValue(name.ToArray(), out byte[]? value)
                    ? Result<ReadOnlyMemory<byte>, VolumeError>.Ok(value) : VolumeError.NoAttribute);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SetExtendedAttribute(
        InodeNumber inode,
        ReadOnlyMemory<byte> name,
        ReadOnlyMemory<byte> value,
        AttributeWriteMode mode,
        Caller caller)
    {
        lock (_gate)
        {
            return new(_tree.Get(inode).TryGet(out MemoryObject? found, out VolumeError error)
                ? SetExtendedAttribute(found, name.ToArray(), value.ToArray(), mode) : error);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>> ListExtendedAttributes(InodeNumber inode)
    {
        lock (_gate)
        {
            if (!_tree.Get(inode).TryGet(out MemoryObject? found, out VolumeError error))
            {
                return new(error);
            }

            return new(found.ExtendedAttributes.Keys.Select(static name => (ReadOnlyMemory<byte>)name).ToArray());
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> RemoveExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name, Caller caller)
    {
        lock (_gate)
        {
            if (!_tree.Get(inode).TryGet(out MemoryObject? found, out VolumeError error)
                || !found.ExtendedAttributes.Remove(name.ToArray()))
            {
                return new(found is null ? error : VolumeError.NoAttribute);
            }

            return new(Changed(found));
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<RangeLock, VolumeError>> TestLock(OpenHandle handle, RangeLock wanted) =>
        new(Find(handle, OpenIntent.None).TryGet(out MemoryHandle? open, out VolumeError error)
            ? _handles.Locks.Test(open.Target.Inode, wanted) : error);

    /// <inheritdoc/>
    public ValueTask<Result<Unit, VolumeError>> SetLock(
        OpenHandle handle, RangeLock wanted, bool wholeFile, bool wait, CancellationToken cancellation) =>
        Find(handle, OpenIntent.None).TryGet(out MemoryHandle? open, out VolumeError error)
            ? _handles.Locks.Set(open.Target.Inode, wanted, wholeFile, wait, cancellation) : new(error);

    /// <inheritdoc/>
    public ValueTask<Result<VolumeSpace, VolumeError>> Space()
    {
        lock (_gate)
        {
            return new(new VolumeSpace(CapacityBytes, CapacityBytes - _handles.UsedBytes, _tree.Count));
        }
    }

    /// <inheritdoc/>
    public IDisposable Watch(IVolumeWatcher watcher) => _watchers.Add(watcher);

    /// <summary>Tells everybody that names may have changed, and not which.</summary>
    public void ChangeNames() => _watchers.NamesChanged();

    /// <summary>Tells everybody that the volume is closed, as one that was removed.</summary>
    public void Close() => _watchers.Closed();

    private static Result<ObjectAttributes, VolumeError> AttributesOf(Result<MemoryObject, VolumeError> found) =>
        found.TryGet(out MemoryObject? target, out VolumeError error) ? target.Attributes() : error;

    private Result<MemoryHandle, VolumeError> Find(OpenHandle handle, OpenIntent needed)
    {
        lock (_gate)
        {
            return _handles.Find(handle, needed);
        }
    }

    private ValueTask<Result<ObjectAttributes, VolumeError>> Make(
        InodeNumber parent,
        ReadOnlyMemory<byte> name,
        ObjectKind kind,
        uint mode,
        uint device,
        byte[]? linkTarget,
        Caller caller)
    {
        lock (_gate)
        {
            Result<MemoryObject, VolumeError> made = _tree.Make(parent, name.Span, kind, mode, caller, linkTarget);
            if (made.IsOk)
            {
                made.Value.Device = device;
                _watchers.EntryChanged(parent, name);
            }

            return new(AttributesOf(made));
        }
    }

    private ValueTask<Result<Unit, VolumeError>> Remove(
        InodeNumber parent, ReadOnlyMemory<byte> name, bool wantsDirectory)
    {
        lock (_gate)
        {
            Result<MemoryObject, VolumeError> removed = _tree.Remove(parent, name.Span, wantsDirectory);
            if (!removed.IsOk)
            {
                return new(removed.Error);
            }

            _handles.ForgetSpaceIfUnused(removed.Value);
            _watchers.EntryChanged(parent, name);
            _watchers.ObjectChanged(removed.Value.Inode, contentChanged: false);
            return new(Unit.Value);
        }
    }

    private Result<Unit, VolumeError> SetExtendedAttribute(
        MemoryObject target, byte[] name, byte[] value, AttributeWriteMode mode)
    {
        bool exists = target.ExtendedAttributes.ContainsKey(name);
        if (mode == AttributeWriteMode.Create && exists)
        {
            return VolumeError.AlreadyExists;
        }

        if (mode == AttributeWriteMode.Replace && !exists)
        {
            return VolumeError.NoAttribute;
        }

        target.ExtendedAttributes[name] = value;
        return Changed(target);
    }

    private Result<Unit, VolumeError> Changed(MemoryObject target)
    {
        target.Changed = _tree.Now;
        _watchers.ObjectChanged(target.Inode, contentChanged: false);
        return Unit.Value;
    }
}
