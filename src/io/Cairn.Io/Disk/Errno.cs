using System.Runtime.InteropServices;
using Cairn.Storage.Ports;

namespace Cairn.Io.Disk;

/// <summary>Linux error numbers, and what each means to a caller of <see cref="IDisk"/>.</summary>
/// <remarks>Source: include/uapi/asm-generic/errno-base.h and errno.h.</remarks>
internal static class Errno
{
    internal const int NotPermitted = 1;
    internal const int NotFound = 2;
    internal const int Interrupted = 4;
    internal const int TryAgain = 11;
    internal const int AccessDenied = 13;
    internal const int Exists = 17;
    internal const int NotDirectory = 20;
    internal const int FileTooLarge = 27;
    internal const int NoSpace = 28;
    internal const int ReadOnlyFileSystem = 30;
    internal const int NotSupported = 95;
    internal const int QuotaExceeded = 122;

    /// <summary>Whether the last call was interrupted by a signal and must simply be made again.</summary>
    internal static bool WasInterrupted => Marshal.GetLastPInvokeError() == Interrupted;

    /// <summary>The last call's error, with the path it was about.</summary>
    internal static DiskError Last(string path)
    {
        int number = Marshal.GetLastPInvokeError();
        return new DiskError(KindOf(number), path, $"{Marshal.GetPInvokeErrorMessage(number)}, errno {number}");
    }

    private static DiskErrorKind KindOf(int number) => number switch
    {
        NotFound or NotDirectory => DiskErrorKind.NotFound,
        Exists => DiskErrorKind.AlreadyExists,
        NoSpace or QuotaExceeded or FileTooLarge => DiskErrorKind.NoSpace,
        NotPermitted or AccessDenied or ReadOnlyFileSystem => DiskErrorKind.NotPermitted,
        TryAgain => DiskErrorKind.Locked,
        _ => DiskErrorKind.InputOutput,
    };
}
