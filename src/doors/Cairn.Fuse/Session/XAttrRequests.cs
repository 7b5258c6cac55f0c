using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>Extended attributes.</summary>
/// <remarks>
/// Access control lists (system.posix_acl_*) are not offered: storing them without the kernel enforcing them would
/// promise a protection that nobody gives.
/// </remarks>
internal sealed class XAttrRequests(IVolume volume, ReplyPath reply)
{
    private static ReadOnlySpan<byte> AccessControl => "system.posix_acl_"u8;

    public bool Get(FuseRequest request)
    {
        if (!request.TryRead(out FuseGetXAttrIn _, out ReadOnlyMemory<byte> name))
        {
            return false;
        }

        reply.Complete(
            request.Exchange,
            name.Span.StartsWith(AccessControl)
                ? new(VolumeError.NotSupported) : volume.GetExtendedAttribute(request.Node, name),
            static (exchange, value) =>
            {
                int room = RoomFor(exchange, value.Length, out int answer);
                if (room > 0)
                {
                    value.Span.CopyTo(FuseReplies.Body(exchange));
                }

                return answer;
            });
        return true;
    }

    public bool List(FuseRequest request)
    {
        if (!request.TryRead(out FuseGetXAttrIn _))
        {
            return false;
        }

        reply.Complete(request.Exchange, volume.ListExtendedAttributes(request.Node), static (exchange, names) =>
        {
            int needed = 0;
            foreach (ReadOnlyMemory<byte> name in names)
            {
                needed += name.Length + 1;
            }

            if (RoomFor(exchange, needed, out int answer) > 0)
            {
                Span<byte> to = FuseReplies.Body(exchange);
                foreach (ReadOnlyMemory<byte> name in names)
                {
                    name.Span.CopyTo(to);
                    to[name.Length] = 0;
                    to = to[(name.Length + 1)..];
                }
            }

            return answer;
        });
        return true;
    }

    public bool Set(FuseRequest request)
    {
        if (!request.TryRead(out FuseSetXAttrIn asked)
            || !FuseRequest.TryTakeName(
                request.Body[FuseSetXAttrIn.Size..], out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> value)
            || value.Length < asked.ValueLength)
        {
            return false;
        }

        AttributeWriteMode? mode = asked.Flags switch
        {
            0 => AttributeWriteMode.Any,
            Linux.XAttrCreate => AttributeWriteMode.Create,
            Linux.XAttrReplace => AttributeWriteMode.Replace,
            _ => null,
        };
        if (mode is not { } known)
        {
            return false;
        }

        reply.Complete(
            request.Exchange,
            name.Span.StartsWith(AccessControl)
                ? new(VolumeError.NotSupported)
                : volume.SetExtendedAttribute(
                    request.Node, name, value[..(int)asked.ValueLength], known, request.Caller),
            ReplyPath.Empty);
        return true;
    }

    public bool Remove(FuseRequest request)
    {
        if (!request.TryReadName(out ReadOnlyMemory<byte> name))
        {
            return false;
        }

        reply.Complete(
            request.Exchange, volume.RemoveExtendedAttribute(request.Node, name, request.Caller), ReplyPath.Empty);
        return true;
    }

    /// <summary>A buffer of 0 bytes asks for the length; one too small is refused.</summary>
    /// <returns>How many bytes to write, 0 for none.</returns>
    private static int RoomFor(IFuseExchange exchange, int needed, out int answer)
    {
        new FuseRequest(exchange).TryRead(out FuseGetXAttrIn asked);
        if (asked.BufferLength == 0)
        {
            answer = FuseReplies.Write(exchange, new FuseGetXAttrOut { NeededLength = (uint)needed });
            return 0;
        }

        bool fits = needed <= asked.BufferLength;
        answer = fits ? FuseOutHeader.Size + needed : -Errno.Range;
        return fits ? needed : 0;
    }
}
