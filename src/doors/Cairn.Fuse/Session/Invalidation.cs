using System.Runtime.InteropServices;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>Tells the kernel to drop what it cached when something changed that it did not do itself.</summary>
internal sealed class Invalidation(
    object session,
    PendingChanges pending,
    ListingCache listings,
    UntoldLengths untold,
    IFuseChannel channel,
    TimeProvider time)
    : IVolumeWatcher
{
    private const int NameBytesMax = 255;
    private const int ObjectMessageBytes = FuseOutHeader.Size + FuseNotifyInvalidateInode.Size;

    private readonly ToldTwice _others = new(channel, pending, time);

    /// <summary>
    /// Whether the kernel can expire an entry without disturbing those who stand in it (protocol 7.38).
    /// </summary>
    public bool CanExpire { get; set; }

    public void ObjectChanged(InodeNumber inode, bool contentChanged, long? grownFrom = null)
    {
        if (!OwnChange.Covers(session, inode, contentChanged) && !pending.Covers(inode))
        {
            if (grownFrom is { } length)
            {
                untold.Grew(inode, length);
            }

            Span<byte> message = stackalloc byte[ObjectMessageBytes];
            WriteObject(message, inode, contentChanged);
            _others.Notify(inode, message);
        }
    }

    /// <summary>Tells the kernel, whoever made the change.</summary>
    public void Tell(InodeNumber inode, bool contentChanged)
    {
        Span<byte> message = stackalloc byte[ObjectMessageBytes];
        WriteObject(message, inode, contentChanged);
        channel.Notify(message);
    }

    /// <summary>What the kernel keeps of a range is not what the volume has. It waits for requests of these pages to be answered.</summary>
    public void DropPages(InodeNumber inode, long offset, int length)
    {
        Span<byte> message = stackalloc byte[ObjectMessageBytes];
        WriteObject(message, inode, offset, length);
        channel.Notify(message);
    }

    /// <summary>
    /// Before the reply to a request that changed an inode's mode without the kernel's knowledge: it shall ask again.
    /// </summary>
    public void DropAttributesNow(InodeNumber inode)
    {
        Span<byte> message = stackalloc byte[ObjectMessageBytes];
        WriteObject(message, inode, contentChanged: false);
        channel.NotifyNow(message);
    }

    public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        if (name.Length > NameBytesMax || OwnChange.Covers(session, parent, name.Span))
        {
            return;
        }

        listings.Changed(parent);
        const int Fixed = FuseOutHeader.Size + FuseNotifyInvalidateEntry.Size;
        Span<byte> message = stackalloc byte[Fixed + NameBytesMax + 1];
        message = message[..(Fixed + name.Length + 1)];
        WriteHeader(message, FuseNotifyCode.InvalidateEntry);
        var body = new FuseNotifyInvalidateEntry
        {
            Parent = parent.Value,
            NameLength = (uint)name.Length,
            Flags = CanExpire ? FuseRequestFlags.InvalidateEntryExpireOnly : 0,
        };
        MemoryMarshal.Write(message[FuseOutHeader.Size..], in body);
        name.Span.CopyTo(message[Fixed..]);
        message[^1] = 0;
        _others.Notify(parent, message);
    }

    public void NamesChanged()
    {
        listings.Clear();
        Span<byte> message = stackalloc byte[FuseOutHeader.Size];
        WriteHeader(message, FuseNotifyCode.IncrementEpoch);
        _others.Notify(InodeNumber.Root, message);
    }

    /// <summary>The kernel is given a notification.</summary>
    public void NoticeBegins(ReadOnlySpan<byte> message)
    {
        if (NodeOfAllPages(message) is { } inode)
        {
            untold.NoticeBegins(inode);
        }
    }

    /// <summary>The kernel took a notification.</summary>
    public void NoticeTaken(ReadOnlySpan<byte> message)
    {
        if (NodeOfAllPages(message) is { } inode && untold.NoticeTaken(inode))
        {
            Tell(inode, contentChanged: false);
        }
    }

    /// <summary>The mount ends: nothing is told any more.</summary>
    public void Stop() => _others.Stop();

    /// <summary>The inode of which a message drops all pages, or null.</summary>
    private static InodeNumber? NodeOfAllPages(ReadOnlySpan<byte> message) =>
        MemoryMarshal.Read<FuseOutHeader>(message).Error == FuseNotifyCode.InvalidateInode
        && MemoryMarshal.Read<FuseNotifyInvalidateInode>(message[FuseOutHeader.Size..]) is { Offset: 0, Length: 0 } told
            ? new InodeNumber(told.Inode) : null;

    private static void WriteObject(Span<byte> message, InodeNumber inode, bool contentChanged) =>
        WriteObject(message, inode, contentChanged ? 0 : -1, 0);

    /// <summary>A negative offset leaves the pages alone; without a length all from the offset on go.</summary>
    private static void WriteObject(Span<byte> message, InodeNumber inode, long offset, long length)
    {
        WriteHeader(message, FuseNotifyCode.InvalidateInode);
        var body = new FuseNotifyInvalidateInode { Inode = inode.Value, Offset = offset, Length = length };
        MemoryMarshal.Write(message[FuseOutHeader.Size..], in body);
    }

    private static void WriteHeader(Span<byte> message, int code)
    {
        var header = new FuseOutHeader { Length = (uint)message.Length, Error = code };
        MemoryMarshal.Write(message, in header);
    }
}
