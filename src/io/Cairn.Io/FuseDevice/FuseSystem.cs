using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.FuseDevice;

/// <summary>The system calls a FUSE mount needs.</summary>
/// <remarks>Source: the Linux man pages, section 2; constants are those of x86-64 and arm64.</remarks>
internal static unsafe partial class FuseSystem
{
    internal const int NotPermitted = 1;
    internal const int NoEntry = 2;
    internal const int Interrupted = 4;
    internal const int NoDeviceOrAddress = 6;
    internal const int Again = 11;
    internal const int AccessDenied = 13;
    internal const int Busy = 16;
    internal const int NoDevice = 19;
    internal const int InvalidArgument = 22;
    internal const int ConnectionAborted = 103;
    internal const int NotConnected = 107;

    internal const int OpenReadWriteCloseOnExec = 2 | 0x80000;
    internal const int OpenNonBlocking = 0x800;

    internal const ulong MountNoSetUserId = 2;
    internal const ulong MountNoDevices = 4;

    internal const int UnmountForce = 1;
    internal const int UnmountDetach = 2;
    internal const int UnmountNoFollow = 8;

    /// <summary>_IOR(229, 0, uint32_t).</summary>
    internal const ulong CloneDevice = 0x8004E500;

    private const string Library = "libc";

    /// <summary>More than sizeof(struct statfs), which is 120.</summary>
    private const int StatFileSystemBytes = 256;

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(SafeFileHandle file, byte* buffer, nint count);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(SafeFileHandle file, byte* buffer, nint count);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Control(SafeFileHandle file, ulong request, uint* argument);

    [LibraryImport(Library, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Mount(string source, string target, string type, ulong flags, string data);

    [LibraryImport(Library, EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unmount(string target, int flags);

    [LibraryImport(Library, EntryPoint = "geteuid")]
    internal static partial uint EffectiveUserId();

    [LibraryImport(Library, EntryPoint = "getegid")]
    internal static partial uint EffectiveGroupId();

    /// <summary>Whether whoever serves a mount answers: 0, or the error it answers with.</summary>
    /// <remarks>
    /// statfs(2) is always asked of the server. access(2) and open(2) can be answered from what the kernel remembers of a
    /// mount, for as long as it was allowed to, also when the daemon has died meanwhile.
    /// </remarks>
    internal static int Probe(string path)
    {
        byte* answer = stackalloc byte[StatFileSystemBytes];
        return StatFileSystem(path, answer) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    [LibraryImport(Library, EntryPoint = "socketpair", SetLastError = true)]
    internal static partial int SocketPair(int domain, int type, int protocol, int* pair);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int FileControl(int file, int command, int argument);

    [LibraryImport(Library, EntryPoint = "recvmsg", SetLastError = true)]
    internal static partial nint ReceiveMessage(int socket, MessageHeader* message, int flags);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int file);

    [LibraryImport(Library, EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatFileSystem(string path, byte* answer);

    /// <summary>struct msghdr.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct MessageHeader
    {
        internal void* Name;
        internal uint NameLength;
        internal IoVector* Vectors;
        internal nint VectorCount;
        internal byte* Control;
        internal nint ControlLength;
        internal int Flags;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct IoVector
    {
        internal byte* Base;
        internal nint Length;
    }
}
