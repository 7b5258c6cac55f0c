using Cairn.Node.Volumes;

namespace Cairn.Fuse.Abi;

/// <summary>Linux error numbers, and which of them a <see cref="VolumeError"/> becomes.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int NoDeviceOrAddress = 6;
    public const int BadHandle = 9;
    public const int Again = 11;
    public const int AccessDenied = 13;
    public const int Busy = 16;
    public const int Exists = 17;
    public const int CrossDevice = 18;
    public const int NotADirectory = 20;
    public const int IsADirectory = 21;
    public const int InvalidArgument = 22;
    public const int NoTerminal = 25;
    public const int FileTooLarge = 27;
    public const int NoSpace = 28;
    public const int ReadOnly = 30;
    public const int TooManyLinks = 31;
    public const int Range = 34;
    public const int Deadlock = 35;
    public const int NameTooLong = 36;
    public const int NotImplemented = 38;
    public const int NotEmpty = 39;
    public const int NoData = 61;
    public const int Protocol = 71;
    public const int BadMessage = 74;
    public const int NotSupported = 95;
    public const int Shutdown = 108;
    public const int HostUnreachable = 113;
    public const int Stale = 116;
    public const int NoKey = 126;

    /// <summary>The number a request is answered with.</summary>
    /// <remarks>
    /// An object that is gone, asked for by its number: the kernel believed a name that has been replaced or removed elsewhere. To
    /// "stale" it looks the name up anew and asks again (retry_estale, include/linux/namei.h), so that a file saved by rename on
    /// another machine is not missing for a moment. Where the name is gone, too, the program hears so from the lookup.
    /// </remarks>
    public static int Of(VolumeError error, FuseOpcode asked) =>
        error == VolumeError.NotFound
        && asked is FuseOpcode.Open or FuseOpcode.GetAttr or FuseOpcode.SetAttr ? Stale : Of(error);

    /// <summary>The number that an error is.</summary>
    /// <remarks>Never <see cref="NotImplemented"/>: to the kernel that means "never ask again".</remarks>
    public static int Of(VolumeError error) => error switch
    {
        VolumeError.NotFound => NoEntry,
        VolumeError.AlreadyExists => Exists,
        VolumeError.NotADirectory => NotADirectory,
        VolumeError.IsADirectory => IsADirectory,
        VolumeError.NotEmpty => NotEmpty,
        VolumeError.InvalidName => InvalidArgument,
        VolumeError.NameTooLong => NameTooLong,
        VolumeError.InvalidArgument => InvalidArgument,
        VolumeError.BadHandle => BadHandle,
        VolumeError.NotPermitted => NotPermitted,
        VolumeError.AccessDenied => AccessDenied,
        VolumeError.ReadOnly or VolumeError.Left => ReadOnly,
        VolumeError.NoSpace => NoSpace,
        VolumeError.FileTooLarge => FileTooLarge,
        VolumeError.Unreachable => HostUnreachable,
        VolumeError.Corrupt => BadMessage,
        VolumeError.InputOutput => InputOutput,
        VolumeError.WouldLoop => InvalidArgument,
        VolumeError.Locked => Again,
        VolumeError.Deadlock => Deadlock,
        VolumeError.NoAttribute => NoData,
        VolumeError.RangeTooSmall => Range,
        VolumeError.NotSupported => NotSupported,
        VolumeError.NoData or VolumeError.BeforeBeginning => NoDeviceOrAddress,
        VolumeError.TooManyLinks => TooManyLinks,
        VolumeError.NodeLocked => NoKey,
        VolumeError.Stopping => Shutdown,
        VolumeError.CrossesVolumes => CrossDevice,
        VolumeError.InUse => Busy,
        VolumeError.Interrupted => Interrupted,
        _ => InputOutput,
    };
}
