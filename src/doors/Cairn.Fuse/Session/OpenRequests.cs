using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>CREATE, OPEN, FLUSH and RELEASE: the life of a handle.</summary>
internal sealed class OpenRequests
{
    private readonly IVolume _volume;
    private readonly ReplyPath _reply;
    private readonly OpenFiles _files;
    private readonly Privileges _privileges;
    private readonly UntoldLengths _untold;
    private readonly FuseOptions _options;
    private readonly Func<IFuseExchange, OpenedFile, int> _opened;
    private readonly Func<IFuseExchange, OpenedFile, int> _created;
    private readonly Action<OpenedFile> _refused;

    public OpenRequests(
        IVolume volume,
        ReplyPath reply,
        FuseReplies replies,
        OpenFiles files,
        Privileges privileges,
        UntoldLengths untold,
        FuseOptions options)
    {
        _privileges = privileges;
        _volume = volume;
        _reply = reply;
        _files = files;
        _untold = untold;
        _options = options;
        _opened = (exchange, file) =>
        {
            files.Opened(file.Handle);
            return FuseReplies.Write(exchange, OpenOut(file));
        };
        _created = (exchange, file) =>
        {
            files.Opened(file.Handle);
            untold.IsWrittenHere(file.Attributes.Inode);
            return FuseReplies.Write(
                exchange,
                new FuseCreateOut { Entry = replies.Entry(file.Attributes), Open = OpenOut(file) });
        };
        _refused = file => files.Refuse(file.Handle);
    }

    /// <summary>Set when the channel is there.</summary>
    public Invalidation? Invalidation { get; set; }

    public bool Open(FuseRequest request)
    {
        if (!request.TryRead(out FuseOpenIn asked))
        {
            return false;
        }

        OpenIntent intent = Intent(asked.Flags);
        if ((intent & (OpenIntent.Write | OpenIntent.Truncate)) != 0)
        {
            _untold.IsWrittenHere(request.Node);
        }

        bool losesPrivileges = (asked.OpenFlags & FuseRequestFlags.OpenKillSuidGid) != 0;
        ValueTask<Result<OpenedFile, VolumeError>> call = losesPrivileges
            ? OpenWithoutPrivileges(request.Node, intent, request.Caller)
            : _volume.Open(request.Node, intent, request.Caller);
        _reply.Complete(
            request.Exchange, call.IsCompleted ? call : OpenLater(call, request.Node), _opened, _refused);
        return true;
    }

    public bool Create(FuseRequest request)
    {
        if (!request.TryRead(out FuseCreateIn asked, out ReadOnlyMemory<byte> name))
        {
            return false;
        }

        OwnChange.Current.Names(name);
        _reply.Complete(
            request.Exchange,
            _volume.Create(
                request.Node, name, asked.Mode & Linux.ModePermissions, Intent(asked.Flags), request.Caller),
            _created,
            _refused);
        return true;
    }

    public bool Flush(FuseRequest request)
    {
        if (!request.TryRead(out FuseFlushIn asked))
        {
            return false;
        }

        _reply.Complete(
            request.Exchange, _volume.Flush(new OpenHandle(asked.Handle), asked.LockOwner), ReplyPath.Empty);
        return true;
    }

    public bool Release(FuseRequest request)
    {
        if (!request.TryRead(out FuseReleaseIn asked))
        {
            return false;
        }

        var handle = new OpenHandle(asked.Handle);
        _files.Closed(handle);
        bool hasFlock = _options.VolumeLocks && (asked.ReleaseFlags & FuseRequestFlags.ReleaseFlockUnlock) != 0;
        _reply.Complete(
            request.Exchange,
            hasFlock ? UnlockAndRelease(handle, asked.LockOwner) : _volume.Release(handle),
            ReplyPath.Empty);
        return true;
    }

    private static OpenIntent Intent(uint flags) =>
        (flags & Linux.OpenAccessMode) switch
        {
            Linux.OpenWriteOnly => OpenIntent.Write,
            Linux.OpenReadWrite => OpenIntent.Read | OpenIntent.Write,
            _ => OpenIntent.Read,
        }
        | ((flags & Linux.OpenTruncate) != 0 ? OpenIntent.Truncate : 0)
        | ((flags & Linux.OpenAppend) != 0 ? OpenIntent.Append : 0)
        | ((flags & Linux.OpenDataSync) != 0 ? OpenIntent.WriteThrough : 0)
        | ((flags & Linux.OpenExclusive) != 0 ? OpenIntent.Exclusive : 0);

    /// <summary>
    /// Pages stay cached from one opening to the next. A close of a descriptor is not worth a request that the closing
    /// program waits for, unless it gives up the volume's locks: every write was answered when it was done, and what the
    /// last close starts comes with RELEASE.
    /// </summary>
    private FuseOpenOut OpenOut(OpenedFile file) => new()
    {
        Handle = file.Handle.Value,
        OpenFlags = FuseOpenFlags.KeepCache | (_options.VolumeLocks ? 0 : FuseOpenFlags.NoFlush),
    };

    /// <summary>It waits for content, perhaps: then the kernel has the length of a time before it.</summary>
    private async ValueTask<Result<OpenedFile, VolumeError>> OpenLater(
        ValueTask<Result<OpenedFile, VolumeError>> call, InodeNumber inode)
    {
        Result<OpenedFile, VolumeError> opened = await call.ConfigureAwait(false);
        Invalidation?.DropAttributesNow(inode);
        return opened;
    }

    private async ValueTask<Result<OpenedFile, VolumeError>> OpenWithoutPrivileges(
        InodeNumber inode, OpenIntent intent, Caller caller)
    {
        Result<OpenedFile, VolumeError> opened = await _volume.Open(inode, intent, caller).ConfigureAwait(false);
        if (opened.IsOk)
        {
            await _privileges.Drop(inode, caller).ConfigureAwait(false);
        }

        return opened;
    }

    private async ValueTask<Result<Unit, VolumeError>> UnlockAndRelease(OpenHandle handle, ulong owner)
    {
        var unlock = new RangeLock(owner, 0, 0, long.MaxValue, LockKind.None);
        await _volume.SetLock(handle, unlock, wholeFile: true, wait: false, CancellationToken.None).ConfigureAwait(
            false);
        return await _volume.Release(handle).ConfigureAwait(false);
    }
}
