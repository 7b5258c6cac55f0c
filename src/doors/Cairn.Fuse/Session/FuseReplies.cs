using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>
/// Turns the volume's answers into the bodies of replies; the header is written by <see cref="ReplyPath"/>.
/// </summary>
internal sealed class FuseReplies(FuseOptions options, UntoldLengths untold)
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly ulong _validSeconds = (ulong)options.CacheTimeout.TotalSeconds;
    private readonly ShownOwner? _owner = options.ShownOwner;
    private readonly uint _ioBytes = (uint)options.PreferredIoBytes;

    /// <summary>Where a reply's body goes.</summary>
    public static Span<byte> Body(IFuseExchange exchange) => exchange.Reply.Span[FuseOutHeader.Size..];

    /// <summary>Writes one structure as the body.</summary>
    public static int Write<T>(IFuseExchange exchange, in T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(Body(exchange), in value);
        return FuseOutHeader.Size + Unsafe.SizeOf<T>();
    }

    /// <summary>An entry, with attributes and how long to trust them.</summary>
    public FuseEntryOut Entry(in ObjectAttributes attributes) => new()
    {
        NodeId = attributes.Inode.Value,
        EntryValid = _validSeconds,
        AttrValid = _validSeconds,
        Attr = Attr(attributes),
    };

    /// <summary>"There is no such entry, and you may remember that."</summary>
    public FuseEntryOut NegativeEntry() => new() { EntryValid = _validSeconds };

    /// <summary>Attributes, and how long to trust them.</summary>
    public FuseAttrOut AttrOut(in ObjectAttributes attributes) => new()
    {
        AttrValid = _validSeconds,
        Attr = Attr(attributes),
    };

    /// <summary>The mode's upper bits.</summary>
    public static uint KindBits(ObjectKind kind) => kind switch
    {
        ObjectKind.File => 8,
        ObjectKind.Directory => 4,
        ObjectKind.SymbolicLink => 10,
        ObjectKind.Fifo => 1,
        ObjectKind.Socket => 12,
        ObjectKind.CharacterDevice => 2,
        ObjectKind.BlockDevice => 6,
        _ => 8,
    };

    /// <summary>What a mode's upper bits say; null for none that exists.</summary>
    public static ObjectKind? KindOf(uint mode) => (mode >> Linux.ModeKindShift) switch
    {
        0 or 8 => ObjectKind.File,
        4 => ObjectKind.Directory,
        10 => ObjectKind.SymbolicLink,
        1 => ObjectKind.Fifo,
        12 => ObjectKind.Socket,
        2 => ObjectKind.CharacterDevice,
        6 => ObjectKind.BlockDevice,
        _ => null,
    };

    /// <summary>A time from the kernel.</summary>
    public static WallTime Time(ulong seconds, uint nanoseconds) =>
        WallTime.From(unchecked((long)seconds), nanoseconds);

    private FuseAttr Attr(in ObjectAttributes from)
    {
        var attr = new FuseAttr
        {
            Inode = from.Inode.Value,
            SizeBytes = (ulong)untold.ToTell(from.Inode, from.SizeBytes),
            Blocks = (ulong)((from.DataBytes + 511) / 512),
            Mode = (KindBits(from.Kind) << Linux.ModeKindShift) | from.Mode,
            LinkCount = from.LinkCount,
            Uid = _owner?.UserId ?? from.UserId,
            Gid = _owner?.GroupId ?? from.GroupId,
            Device = from.Device,
            BlockSize = _ioBytes,
        };
        (attr.Atime, attr.AtimeNsec) = Split(from.Accessed);
        (attr.Mtime, attr.MtimeNsec) = Split(from.Modified);
        (attr.Ctime, attr.CtimeNsec) = Split(from.Changed);
        return attr;
    }

    private static (ulong Seconds, uint Nanoseconds) Split(WallTime time)
    {
        (long seconds, long rest) = Math.DivRem(time.UnixNanoseconds, NanosecondsPerSecond);
        return rest < 0
            ? (unchecked((ulong)(seconds - 1)), (uint)(rest + NanosecondsPerSecond))
            : (unchecked((ulong)seconds), (uint)rest);
    }
}
