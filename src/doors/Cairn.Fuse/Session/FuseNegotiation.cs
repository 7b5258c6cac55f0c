using System.Runtime.InteropServices;
using Cairn.Fuse.Abi;

namespace Cairn.Fuse.Session;

/// <summary>INIT: which version and features of the protocol this mount uses.</summary>
internal sealed class FuseNegotiation(FuseOptions options)
{
    private const uint Major = 7;

    /// <summary>The newest minor version this code was written for.</summary>
    private const uint MinorMax = 45;

    /// <summary>The oldest kernel spoken to: 7.31 is Linux 5.4.</summary>
    private const uint MinorMin = 31;

    private const int PageBytes = 4096;

    private const FuseInitFlags Wanted =
        FuseInitFlags.AsyncRead
        | FuseInitFlags.AtomicOpenTruncate
        | FuseInitFlags.BigWrites
        | FuseInitFlags.DoReadDirPlus
        | FuseInitFlags.ReadDirPlusAuto
        | FuseInitFlags.AsyncDirectIo
        | FuseInitFlags.ParallelDirectoryOperations
        | FuseInitFlags.MaxPages
        | FuseInitFlags.CacheSymlinks
        | FuseInitFlags.ExplicitInvalidateData
        | FuseInitFlags.HandleKillPrivV2
        | FuseInitFlags.InitExt
        | FuseInitFlags.HasExpireOnly;

    /// <summary>Writes the reply's body.</summary>
    /// <param name="request">The INIT.</param>
    /// <param name="count">The reply's length.</param>
    /// <param name="canExpire">Whether entries can be expired instead of dropped.</param>
    /// <returns>False when the kernel speaks no version that this code knows.</returns>
    public bool TryAnswer(FuseRequest request, out int count, out bool canExpire)
    {
        count = 0;
        canExpire = false;
        Span<byte> bytes = stackalloc byte[FuseInitIn.Size];
        ReadOnlySpan<byte> body = request.Body.Span;
        body[..Math.Min(body.Length, bytes.Length)].CopyTo(bytes);
        FuseInitIn asked = MemoryMarshal.Read<FuseInitIn>(bytes);
        bool isTooOld = asked.Major < Major || (asked.Major == Major && asked.Minor < MinorMin);
        if (body.Length < FuseInitIn.CompatSize || isTooOld)
        {
            return false;
        }

        if (asked.Major > Major)
        {
            // The kernel asks again with the version it is told.
            count = FuseReplies.Write(request.Exchange, new FuseInitOut { Major = Major, Minor = MinorMax });
            return true;
        }

        var offered = (FuseInitFlags)(asked.Flags | ((ulong)asked.Flags2 << 32));
        FuseInitFlags locks = FuseInitFlags.PosixLocks | FuseInitFlags.FlockLocks;
        FuseInitFlags agreed = offered & (options.VolumeLocks ? Wanted | locks : Wanted);
        canExpire = (agreed & FuseInitFlags.HasExpireOnly) != 0;
        count = FuseReplies.Write(request.Exchange, new FuseInitOut
        {
            Major = Major,
            Minor = Math.Min(asked.Minor, MinorMax),

            // Not the lesser of both: what the kernel offers is its setting from before the device raised it.
            MaxReadahead = (uint)options.ReadaheadBytes,
            Flags = (uint)agreed,
            Flags2 = (uint)((ulong)agreed >> 32),
            MaxBackground = (ushort)options.BackgroundRequestsMax,
            CongestionThreshold = (ushort)(options.BackgroundRequestsMax * 3 / 4),
            MaxWrite = (uint)options.RequestBytesMax,
            MaxPages = (ushort)(options.RequestBytesMax / PageBytes),
            TimeGranularity = 1,
        });
        return true;
    }
}
