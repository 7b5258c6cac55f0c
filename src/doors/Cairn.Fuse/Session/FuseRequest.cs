using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>Reads one request's bytes.</summary>
internal readonly struct FuseRequest(IFuseExchange exchange)
{
    public IFuseExchange Exchange { get; } = exchange;

    public FuseInHeader Header => MemoryMarshal.Read<FuseInHeader>(Exchange.Request.Span);

    public ReadOnlyMemory<byte> Body => Exchange.Request[FuseInHeader.Size..];

    public InodeNumber Node => new(Header.NodeId);

    public Caller Caller
    {
        get
        {
            FuseInHeader header = Header;
            return new Caller(header.Uid, header.Gid, header.Pid);
        }
    }

    /// <summary>The structure at the start of the body; false when the request is too short for it.</summary>
    public bool TryRead<T>(out T value)
        where T : unmanaged =>
        MemoryMarshal.TryRead(Body.Span, out value);

    /// <summary>A structure and the name after it.</summary>
    public bool TryRead<T>(out T value, out ReadOnlyMemory<byte> name)
        where T : unmanaged
    {
        ReadOnlyMemory<byte> body = Body;
        name = default;
        return MemoryMarshal.TryRead(body.Span, out value)
            && TryTakeName(body[Unsafe.SizeOf<T>()..], out name, out _);
    }

    /// <summary>A name at the start of the body.</summary>
    public bool TryReadName(out ReadOnlyMemory<byte> name) => TryTakeName(Body, out name, out _);

    /// <summary>Two names at the start of <paramref name="bytes"/>.</summary>
    public static bool TryTakeNames(
        ReadOnlyMemory<byte> bytes, out ReadOnlyMemory<byte> first, out ReadOnlyMemory<byte> second)
    {
        second = default;
        return TryTakeName(bytes, out first, out ReadOnlyMemory<byte> rest) && TryTakeName(rest, out second, out _);
    }

    /// <summary>The bytes up to a zero byte, and those after it.</summary>
    public static bool TryTakeName(
        ReadOnlyMemory<byte> bytes, out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> rest)
    {
        int end = bytes.Span.IndexOf((byte)0);
        name = end < 0 ? default : bytes[..end];
        rest = end < 0 ? default : bytes[(end + 1)..];
        return end >= 0;
    }
}
