using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Volumes;

/// <summary>The open files of a <see cref="MemoryVolume"/> and what is done through them.</summary>
/// <remarks>Opening, finding and releasing need the volume's lock; content is guarded by each object's own.</remarks>
internal sealed class MemoryHandles(MemoryNamespace tree, MemoryWatchers watchers)
{
    private readonly Dictionary<ulong, MemoryHandle> _open = [];
    private ulong _last;
    private long _usedBytes;

    public LockManager Locks { get; } = new();

    public long CapacityBytes { get; set; } = 1L << 40;

    public long UsedBytes => Volatile.Read(ref _usedBytes);

    public int Count => _open.Count;

    public Result<OpenedFile, VolumeError> Open(MemoryObject target, OpenIntent intent)
    {
        if (target.Content is null)
        {
            return target.Kind == ObjectKind.Directory ? VolumeError.IsADirectory : VolumeError.InvalidArgument;
        }

        if (intent.HasFlag(OpenIntent.Truncate))
        {
            Change(target, new AttributeChange { SizeBytes = 0 });
        }

        var handle = new OpenHandle(++_last);
        _open.Add(handle.Value, new MemoryHandle(target, intent));
        target.OpenCount++;
        Span<byte> version = stackalloc byte[VersionId.Size];
        BinaryPrimitives.WriteUInt64BigEndian(version, target.Inode.Value);
        return new OpenedFile(handle, target.Attributes(), new VersionId(version));
    }

    public Result<MemoryHandle, VolumeError> Find(OpenHandle handle, OpenIntent needed) =>
        _open.TryGetValue(handle.Value, out MemoryHandle? open) && (open.Intent & needed) == needed
            ? open : VolumeError.BadHandle;

    public Result<Unit, VolumeError> Release(OpenHandle handle)
    {
        if (!_open.Remove(handle.Value, out MemoryHandle? open))
        {
            return VolumeError.BadHandle;
        }

        open.Target.OpenCount--;
        ForgetSpaceIfUnused(open.Target);
        tree.ForgetIfUnused(open.Target);
        return Unit.Value;
    }

    public void ForgetSpaceIfUnused(MemoryObject target)
    {
        if (target is { LinkCount: 0, OpenCount: 0, Content: { } content })
        {
            Account(target, () => content.Resize(0));
        }
    }

    public Result<int, VolumeError> Write(MemoryHandle open, long offset, ReadOnlySpan<byte> data)
    {
        MemoryContent content = open.Target.Content!;
        lock (open.Target.Gate)
        {
            long at = (open.Intent & OpenIntent.Append) != 0 ? content.SizeBytes : offset;
            if (at < 0 || at > long.MaxValue - data.Length)
            {
                return at < 0 ? VolumeError.InvalidArgument : VolumeError.FileTooLarge;
            }

            long before = content.DataBytes;
            if (UsedBytes + data.Length > CapacityBytes)
            {
                return VolumeError.NoSpace;
            }

            long length = content.SizeBytes;
            content.Write(at, data);
            Interlocked.Add(ref _usedBytes, content.DataBytes - before);
            open.Target.Modified = open.Target.Changed = tree.Now;

            // A file of no length had nothing that anybody could keep.
            watchers.ObjectChanged(
                open.Target.Inode, contentChanged: true, length > 0 && content.SizeBytes > length ? length : null);
            return data.Length;
        }
    }

    public Result<Unit, VolumeError> Allocate(MemoryHandle open, long offset, long length, AllocateMode mode)
    {
        if (offset < 0 || length <= 0 || offset > long.MaxValue - length)
        {
            return offset >= 0 && length > 0 ? VolumeError.FileTooLarge : VolumeError.InvalidArgument;
        }

        MemoryContent content = open.Target.Content!;
        if (mode is AllocateMode.Extend or AllocateMode.KeepSize && UsedBytes + length > CapacityBytes)
        {
            return VolumeError.NoSpace;
        }

        lock (open.Target.Gate)
        {
            long end = offset + length;
            if (mode is AllocateMode.PunchHole or AllocateMode.ZeroRange)
            {
                Account(open.Target, () => content.Clear(offset, length));
            }

            if (mode is AllocateMode.Extend or AllocateMode.ZeroRange && end > content.SizeBytes)
            {
                content.Resize(end);
            }

            open.Target.Modified = open.Target.Changed = tree.Now;
            return Unit.Value;
        }
    }

    public Result<long, VolumeError> Copy(
        MemoryHandle from, long fromOffset, MemoryHandle to, long toOffset, long length)
    {
        if (fromOffset < 0 || toOffset < 0 || length < 0)
        {
            return VolumeError.InvalidArgument;
        }

        byte[] buffer = new byte[1 << 16];
        long copied = 0;
        while (copied < length)
        {
            int wanted = (int)Math.Min(buffer.Length, length - copied);
            if (!from.Read(fromOffset + copied, buffer.AsSpan(0, wanted)).TryGet(out int count, out VolumeError error)
                || !Write(to, toOffset + copied, buffer.AsSpan(0, count)).TryGet(out _, out error))
            {
                return copied > 0 ? copied : error;
            }

            copied += count;
            if (count < wanted)
            {
                break;
            }
        }

        return copied;
    }

    public Result<Unit, VolumeError> Change(MemoryObject target, AttributeChange change)
    {
        if (change.SizeBytes is { } checkedSize && (target.Content is null || checkedSize < 0))
        {
            return target.Kind == ObjectKind.Directory ? VolumeError.IsADirectory : VolumeError.InvalidArgument;
        }

        lock (target.Gate)
        {
            WallTime now = tree.Now;
            if (change.SizeBytes is { } size)
            {
                Account(target, () => target.Content!.Resize(size));
                target.Modified = now;
            }

            target.Mode = change.Mode & ModeBits.All ?? target.Mode;
            target.UserId = change.UserId ?? target.UserId;
            target.GroupId = change.GroupId ?? target.GroupId;
            target.Accessed = change.Accessed ?? target.Accessed;
            target.Modified = change.Modified ?? target.Modified;
            target.Changed = now;
            return Unit.Value;
        }
    }

    private void Account(MemoryObject target, Action change)
    {
        long before = target.Content!.DataBytes;
        change();
        Interlocked.Add(ref _usedBytes, target.Content.DataBytes - before);
    }
}

/// <summary>One open file.</summary>
internal sealed class MemoryHandle(MemoryObject target, OpenIntent intent)
{
    public MemoryObject Target { get; } = target;

    public OpenIntent Intent { get; } = intent;

    public Result<int, VolumeError> Read(long offset, Span<byte> buffer)
    {
        if (offset < 0)
        {
            return VolumeError.InvalidArgument;
        }

        lock (Target.Gate)
        {
            return Target.Content!.Read(offset, buffer);
        }
    }

    public Result<long, VolumeError> Seek(long offset, SeekTarget target)
    {
        lock (Target.Gate)
        {
            MemoryContent content = Target.Content!;
            if (offset < 0 || offset >= content.SizeBytes)
            {
                return VolumeError.NoData;
            }

            return target == SeekTarget.Hole
                ? content.NextHole(offset)
                : content.NextData(offset) is { } data ? data : VolumeError.NoData;
        }
    }
}
