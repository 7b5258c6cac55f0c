using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>LOOKUP and everything that makes, moves or removes an entry.</summary>
internal sealed class EntryRequests
{
    private readonly IVolume _volume;
    private readonly ReplyPath _reply;
    private readonly FuseReplies _replies;
    private readonly Func<IFuseExchange, ObjectAttributes, int> _entry;

    public EntryRequests(IVolume volume, ReplyPath reply, FuseReplies replies)
    {
        _volume = volume;
        _reply = reply;
        _replies = replies;
        _entry = (exchange, attributes) => FuseReplies.Write(
            exchange, attributes.Inode.Value == 0 ? _replies.NegativeEntry() : _replies.Entry(attributes));
    }

    public bool Lookup(FuseRequest request)
    {
        if (!request.TryReadName(out ReadOnlyMemory<byte> name))
        {
            return false;
        }

        ValueTask<Result<ObjectAttributes, VolumeError>> call = _volume.Lookup(request.Node, name);
        _reply.Complete(
            request.Exchange, call.IsCompletedSuccessfully ? new(OrAbsent(call)) : OrAbsentLater(call), _entry);
        return true;
    }

    public bool MakeNode(FuseRequest request)
    {
        if (!request.TryRead(out FuseMkNodIn asked, out ReadOnlyMemory<byte> name)
            || FuseReplies.KindOf(asked.Mode) is not { } kind)
        {
            return false;
        }

        OwnChange.Current.Names(name);
        _reply.Complete(
            request.Exchange,
            _volume.MakeNode(
                request.Node, name, kind, asked.Mode & Linux.ModePermissions, asked.Device, request.Caller),
            _entry);
        return true;
    }

    public bool MakeDirectory(FuseRequest request)
    {
        if (!request.TryRead(out FuseMkDirIn asked, out ReadOnlyMemory<byte> name))
        {
            return false;
        }

        OwnChange.Current.Names(name);
        _reply.Complete(
            request.Exchange,
            _volume.MakeDirectory(request.Node, name, asked.Mode & Linux.ModePermissions, request.Caller),
            _entry);
        return true;
    }

    public bool MakeSymbolicLink(FuseRequest request)
    {
        if (!FuseRequest.TryTakeNames(request.Body, out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> target))
        {
            return false;
        }

        OwnChange.Current.Names(name);
        _reply.Complete(
            request.Exchange, _volume.MakeSymbolicLink(request.Node, name, target, request.Caller), _entry);
        return true;
    }

    public bool Link(FuseRequest request)
    {
        if (!request.TryRead(out FuseNodeIdIn asked, out ReadOnlyMemory<byte> name))
        {
            return false;
        }

        OwnChange.Current.Names(name);
        _reply.Complete(
            request.Exchange,
            _volume.Link(new InodeNumber(asked.NodeId), request.Node, name, request.Caller),
            _entry);
        return true;
    }

    public bool Remove(FuseRequest request, bool isDirectory)
    {
        if (!request.TryReadName(out ReadOnlyMemory<byte> name))
        {
            return false;
        }

        OwnChange.Current.Names(name);
        _reply.Complete(
            request.Exchange,
            isDirectory
                ? _volume.RemoveDirectory(request.Node, name, request.Caller)
                : _volume.Unlink(request.Node, name, request.Caller),
            ReplyPath.Empty);
        return true;
    }

    public bool Rename(FuseRequest request)
    {
        return request.TryRead(out FuseNodeIdIn asked)
            && Rename(request, new InodeNumber(asked.NodeId), FuseNodeIdIn.Size, RenameMode.Replace);
    }

    public bool RenameWithFlags(FuseRequest request)
    {
        if (!request.TryRead(out FuseRename2In asked))
        {
            return false;
        }

        RenameMode? mode = asked.Flags switch
        {
            0 => RenameMode.Replace,
            Linux.RenameNoReplace => RenameMode.NoReplace,
            Linux.RenameExchange => RenameMode.Exchange,
            _ => null,
        };
        return mode is { } known && Rename(request, new InodeNumber(asked.NewDirectory), FuseRename2In.Size, known);
    }

    public bool ReadLink(FuseRequest request)
    {
        _reply.Complete(request.Exchange, _volume.ReadSymbolicLink(request.Node), static (exchange, target) =>
        {
            target.Span.CopyTo(FuseReplies.Body(exchange));
            return FuseOutHeader.Size + target.Length;
        });
        return true;
    }

    private bool Rename(FuseRequest request, InodeNumber toParent, int namesAt, RenameMode mode)
    {
        if (!FuseRequest.TryTakeNames(
            request.Body[namesAt..], out ReadOnlyMemory<byte> from, out ReadOnlyMemory<byte> to))
        {
            return false;
        }

        OwnChange.Current.Names(from);
        OwnChange.Current.Also(toParent, to);
        _reply.Complete(
            request.Exchange,
            _volume.Rename(request.Node, from, toParent, to, mode, request.Caller),
            ReplyPath.Empty);
        return true;
    }

    /// <summary>An absent name is an answer that the kernel may remember, not an error.</summary>
    private static Result<ObjectAttributes, VolumeError> OrAbsent(
        in ValueTask<Result<ObjectAttributes, VolumeError>> call)
    {
        Result<ObjectAttributes, VolumeError> result = call.GetAwaiter().GetResult();
        return !result.IsOk && result.Error == VolumeError.NotFound ? default(ObjectAttributes) : result;
    }

    private static async ValueTask<Result<ObjectAttributes, VolumeError>> OrAbsentLater(
        ValueTask<Result<ObjectAttributes, VolumeError>> call)
    {
        Result<ObjectAttributes, VolumeError> result = await call.ConfigureAwait(false);
        return !result.IsOk && result.Error == VolumeError.NotFound ? default(ObjectAttributes) : result;
    }
}
