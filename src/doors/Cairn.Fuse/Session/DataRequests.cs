using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>What is done to an open file's bytes.</summary>
internal sealed class DataRequests(IVolume volume, ReplyPath reply, Privileges privileges)
{
    public bool Read(FuseRequest request)
    {
        if (!request.TryRead(out FuseReadIn asked)
            || asked.Length > request.Exchange.Reply.Length - FuseOutHeader.Size)
        {
            return false;
        }

        // The volume writes straight into the reply.
        Memory<byte> room = request.Exchange.Reply.Slice(FuseOutHeader.Size, (int)asked.Length);
        reply.Complete(
            request.Exchange,
            volume.Read(new OpenHandle(asked.Handle), (long)asked.Offset, room),
            static (_, count) => FuseOutHeader.Size + count);
        return true;
    }

    public bool Write(FuseRequest request)
    {
        if (!request.TryRead(out FuseWriteIn asked)
            || asked.Length > request.Body.Length - FuseWriteIn.Size)
        {
            return false;
        }

        ReadOnlyMemory<byte> data = request.Body.Slice(FuseWriteIn.Size, (int)asked.Length);
        var handle = new OpenHandle(asked.Handle);
        long offset = (long)asked.Offset;
        ValueTask<Result<int, VolumeError>> call =
            (asked.WriteFlags & FuseRequestFlags.WriteCache) != 0 ? WriteBack(request.Node, handle, offset, data)
            : (asked.WriteFlags & FuseRequestFlags.WriteKillSuidGid) != 0
                ? WriteWithoutPrivileges(request.Node, handle, offset, data, request.Caller)
            : volume.Write(handle, offset, data);
        reply.Complete(
            request.Exchange,
            call,
            static (exchange, count) => FuseReplies.Write(exchange, new FuseWriteOut { Length = (uint)count }));
        return true;
    }

    public bool Sync(FuseRequest request)
    {
        if (!request.TryRead(out FuseFSyncIn asked))
        {
            return false;
        }

        reply.Complete(
            request.Exchange,
            volume.Sync(new OpenHandle(asked.Handle), (asked.Flags & FuseRequestFlags.FSyncDataOnly) != 0),
            ReplyPath.Empty);
        return true;
    }

    public bool Allocate(FuseRequest request)
    {
        if (!request.TryRead(out FuseFAllocateIn asked))
        {
            return false;
        }

        var handle = new OpenHandle(asked.Handle);
        long offset = (long)asked.Offset;
        long length = (long)asked.Length;
        AllocateMode? mode = asked.Mode switch
        {
            0 => AllocateMode.Extend,
            Linux.AllocateKeepSize => AllocateMode.KeepSize,
            Linux.AllocatePunchHole | Linux.AllocateKeepSize => AllocateMode.PunchHole,
            Linux.AllocateZeroRange or (Linux.AllocateZeroRange | Linux.AllocateKeepSize) => AllocateMode.ZeroRange,
            _ => null,
        };
        if (mode is not { } known)
        {
            reply.Complete<Unit>(request.Exchange, new(VolumeError.NotSupported), ReplyPath.Empty);
            return true;
        }

        bool isZeroingWithinSize =
            known == AllocateMode.ZeroRange && (asked.Mode & Linux.AllocateKeepSize) != 0;
        reply.Complete(
            request.Exchange,
            isZeroingWithinSize
                ? ZeroWithinSize(request.Node, handle, offset, length)
                : volume.Allocate(handle, offset, length, known),
            ReplyPath.Empty);
        return true;
    }

    public bool Seek(FuseRequest request)
    {
        if (!request.TryRead(out FuseLSeekIn asked) || asked.Whence is not (Linux.SeekData or Linux.SeekHole))
        {
            return false;
        }

        reply.Complete(
            request.Exchange,
            volume.Seek(
                new OpenHandle(asked.Handle),
                (long)asked.Offset,
                asked.Whence == Linux.SeekData ? SeekTarget.Data : SeekTarget.Hole),
            static (exchange, found) => FuseReplies.Write(exchange, new FuseOffsetOut { Offset = (ulong)found }));
        return true;
    }

    /// <param name="isWide">Whether the reply has 64 bits of length.</param>
    public bool CopyRange(FuseRequest request, bool isWide)
    {
        // Callers go on where a short copy ends, and meanwhile the reader's thread is free for others.
        const ulong CopyBytesMax = 64UL << 20;
        if (!request.TryRead(out FuseCopyFileRangeIn asked))
        {
            return false;
        }

        if (asked.Flags != 0)
        {
            reply.Complete<Unit>(request.Exchange, new(VolumeError.NotSupported), ReplyPath.Empty);
            return true;
        }

        OwnChange.Current.Also(new InodeNumber(asked.TargetNodeId), default);
        ValueTask<Result<long, VolumeError>> call = volume.CopyRange(
            new OpenHandle(asked.SourceHandle),
            (long)asked.SourceOffset,
            new OpenHandle(asked.TargetHandle),
            (long)asked.TargetOffset,
            (long)Math.Min(asked.Length, CopyBytesMax));
        if (isWide)
        {
            reply.Complete(request.Exchange, call, static (exchange, copied) =>
                FuseReplies.Write(exchange, new FuseOffsetOut { Offset = (ulong)copied }));
        }
        else
        {
            reply.Complete(request.Exchange, call, static (exchange, copied) =>
                FuseReplies.Write(exchange, new FuseWriteOut { Length = (uint)copied }));
        }

        return true;
    }

    /// <summary>Pages that a program changed through a mapping: all of them, or an error.</summary>
    /// <remarks>
    /// The kernel looks at the error alone here (fuse_writepage_end): what a short write left out would be lost, and msync say
    /// that it is there. Of what is refused the pages go, so that this machine reads what all others read, not what nobody keeps.
    /// </remarks>
    private async ValueTask<Result<int, VolumeError>> WriteBack(
        InodeNumber inode, OpenHandle handle, long offset, ReadOnlyMemory<byte> data)
    {
        for (int done = 0; done < data.Length;)
        {
            Result<int, VolumeError> written =
                await volume.Write(handle, offset + done, data[done..]).ConfigureAwait(false);
            if (!written.TryGet(out int taken, out VolumeError error) || taken == 0)
            {
                reply.Invalidation?.DropPages(inode, offset, data.Length);
                return written.IsOk ? VolumeError.NoSpace : error;
            }

            done += taken;
        }

        return data.Length;
    }

    private async ValueTask<Result<int, VolumeError>> WriteWithoutPrivileges(
        InodeNumber inode, OpenHandle handle, long offset, ReadOnlyMemory<byte> data, Caller caller)
    {
        await privileges.Drop(inode, caller).ConfigureAwait(false);
        return await volume.Write(handle, offset, data).ConfigureAwait(false);
    }

    private async ValueTask<Result<Unit, VolumeError>> ZeroWithinSize(
        InodeNumber inode, OpenHandle handle, long offset, long length)
    {
        Result<ObjectAttributes, VolumeError> now = await volume.GetAttributes(inode).ConfigureAwait(false);
        if (!now.IsOk)
        {
            return now.Error;
        }

        long within = Math.Min(length, now.Value.SizeBytes - offset);
        return within <= 0
            ? await volume.Allocate(handle, offset, length, AllocateMode.KeepSize).ConfigureAwait(false)
            : await volume.Allocate(handle, offset, within, AllocateMode.ZeroRange).ConfigureAwait(false);
    }
}
