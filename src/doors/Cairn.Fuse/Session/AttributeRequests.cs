using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>GETATTR, SETATTR and STATFS.</summary>
internal sealed class AttributeRequests
{
    private readonly IVolume _volume;
    private readonly ReplyPath _reply;
    private readonly TimeProvider _time;
    private readonly Func<IFuseExchange, ObjectAttributes, int> _attributes;

    public AttributeRequests(IVolume volume, ReplyPath reply, FuseReplies replies, TimeProvider time)
    {
        _volume = volume;
        _reply = reply;
        _time = time;
        _attributes = (exchange, attributes) => FuseReplies.Write(exchange, replies.AttrOut(attributes));
    }

    public bool Get(FuseRequest request)
    {
        _reply.Complete(request.Exchange, _volume.GetAttributes(request.Node), _attributes);
        return true;
    }

    public bool Set(FuseRequest request)
    {
        if (!request.TryRead(out FuseSetAttrIn asked))
        {
            return false;
        }

        OpenHandle? handle = Has(asked, FuseSetAttrValid.Handle) ? new OpenHandle(asked.Handle) : null;
        AttributeChange change = Change(asked);
        bool losesPrivileges = change.Mode is null
            && (change.UserId is not null || change.GroupId is not null || Has(asked, FuseSetAttrValid.KillSuidGid));
        _reply.Complete(
            request.Exchange,
            losesPrivileges
                ? SetWithoutPrivileges(request.Node, change, handle, request.Caller)
                : _volume.SetAttributes(request.Node, change, handle, request.Caller),
            _attributes);
        return true;
    }

    public bool StatFs(FuseRequest request)
    {
        _reply.Complete(request.Exchange, _volume.Space(), static (exchange, space) =>
        {
            const uint BlockBytes = 4096;
            ulong free = (ulong)Math.Max(0, space.FreeBytes) / BlockBytes;
            return FuseReplies.Write(exchange, new FuseStatFsOut
            {
                Blocks = (ulong)Math.Max(0, space.TotalBytes) / BlockBytes,
                BlocksFree = free,
                BlocksAvailable = free,
                Files = (ulong)space.Objects + free,
                FilesFree = free,
                BlockSize = BlockBytes,
                FragmentSize = BlockBytes,
                NameLength = 255,
            });
        });
        return true;
    }

    private async ValueTask<Result<ObjectAttributes, VolumeError>> SetWithoutPrivileges(
        InodeNumber inode, AttributeChange change, OpenHandle? handle, Caller caller)
    {
        Result<ObjectAttributes, VolumeError> before = await _volume.GetAttributes(inode).ConfigureAwait(false);
        return before.IsOk
            ? await _volume.SetAttributes(
                inode, change with { Mode = Privileges.ModeWithout(before.Value) }, handle, caller)
                .ConfigureAwait(false)
            : before;
    }

    private AttributeChange Change(in FuseSetAttrIn asked) => new()
    {
        Mode = Has(asked, FuseSetAttrValid.Mode) ? asked.Mode & Linux.ModePermissions : null,
        UserId = Has(asked, FuseSetAttrValid.Uid) ? asked.Uid : null,
        GroupId = Has(asked, FuseSetAttrValid.Gid) ? asked.Gid : null,
        SizeBytes = Has(asked, FuseSetAttrValid.Size) ? (long)Math.Min(asked.SizeBytes, long.MaxValue) : null,
        Accessed = Has(asked, FuseSetAttrValid.AtimeNow) ? Now
            : Has(asked, FuseSetAttrValid.Atime) ? FuseReplies.Time(asked.Atime, asked.AtimeNsec) : null,
        Modified = Has(asked, FuseSetAttrValid.MtimeNow) ? Now
            : Has(asked, FuseSetAttrValid.Mtime) ? FuseReplies.Time(asked.Mtime, asked.MtimeNsec) : null,
    };

    private WallTime Now => WallTime.From(_time.GetUtcNow());

    private static bool Has(in FuseSetAttrIn asked, FuseSetAttrValid flag) => (asked.Valid & flag) != 0;
}
