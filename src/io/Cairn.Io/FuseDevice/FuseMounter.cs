using System.Globalization;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.FuseDevice;

/// <summary>Mounts drives: by mount(2) as root, else by fusermount3.</summary>
public static class FuseMounter
{
    /// <summary>What /proc/mounts shows as the type of a drive.</summary>
    public const string FileSystemType = "fuse.cairn";

    private const string Device = "/dev/fuse";
    private const int DeadMountsMax = 16;

    /// <summary>
    /// The user and group of a process that is not root, whose mounts only that user can enter; null for root.
    /// </summary>
    public static (uint UserId, uint GroupId)? OnlyUser =>
        FuseSystem.EffectiveUserId() is var user and not 0 ? (user, FuseSystem.EffectiveGroupId()) : null;

    /// <summary>
    /// Mounts and starts to serve; a dead mount of an earlier daemon on the directory is cleared away first.
    /// </summary>
    /// <param name="directory">An empty directory on which nothing is mounted.</param>
    /// <param name="options">The kernel's side.</param>
    /// <param name="handler">Answers the requests.</param>
    /// <param name="report">Told of what should not happen and cannot be answered to anybody.</param>
    public static Result<FuseMount, MountError> Mount(
        string directory, FuseMountOptions options, IFuseHandler handler, Action<Exception> report)
    {
        ArgumentNullException.ThrowIfNull(options);
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (!ClearDeadMounts(path).TryGet(out _, out MountError error)
            || !CheckDirectory(path).TryGet(out _, out error))
        {
            return error;
        }

        bool useHelper = options.UseHelper || FuseSystem.EffectiveUserId() != 0;
        Result<SafeFileHandle, MountError> opened = useHelper
            ? FusermountHelper.Mount(path, HelperOptions(options))
            : MountAsRoot(path, options);
        if (!opened.TryGet(out SafeFileHandle? device, out error))
        {
            return error;
        }

        RaiseReadahead(path, options.ReadaheadBytes);
        var mount = new FuseMount(path, useHelper, options, handler, report);
        mount.Start(device);
        return mount;
    }

    internal static Result<Unit, MountError> Unmount(string path, bool useHelper, int flags)
    {
        if (useHelper)
        {
            return FusermountHelper.Unmount(path, detach: flags != 0);
        }

        if (FuseSystem.Unmount(path, flags | FuseSystem.UnmountNoFollow) == 0)
        {
            return Unit.Value;
        }

        int number = Marshal.GetLastPInvokeError();
        return number switch
        {
            // Nothing is mounted there any more: somebody else unmounted it.
            FuseSystem.InvalidArgument or FuseSystem.NoEntry => Unit.Value,
            FuseSystem.Busy => new MountError(
                MountErrorKind.Busy, path, "files are open in it; close them, or say --force"),
            FuseSystem.NotPermitted or FuseSystem.AccessDenied => new MountError(
                MountErrorKind.NotPermitted, path, "you may not unmount it"),
            _ => new MountError(MountErrorKind.Other, path, Words(number)),
        };
    }

    /// <summary>A daemon that was killed leaves a mount that answers "not connected" to everything.</summary>
    private static Result<Unit, MountError> ClearDeadMounts(string path)
    {
        for (int i = 0; i < DeadMountsMax; i++)
        {
            if (MountTable.Find(path) is not { } mounted)
            {
                return Unit.Value;
            }

            bool isDead = mounted.Type == FileSystemType
                && FuseSystem.Probe(path) is FuseSystem.NotConnected or FuseSystem.ConnectionAborted;
            if (!isDead)
            {
                return new MountError(
                    MountErrorKind.Busy, path, $"{mounted.Source} ({mounted.Type}) is mounted there; unmount it first");
            }

            bool useHelper = FuseSystem.EffectiveUserId() != 0;
            if (!Unmount(path, useHelper, FuseSystem.UnmountDetach).TryGet(out _, out MountError error))
            {
                return error;
            }
        }

        return new MountError(MountErrorKind.Busy, path, "too many dead mounts lie on it; unmount them with umount -l");
    }

    private static Result<Unit, MountError> CheckDirectory(string path)
    {
        if (File.Exists(path))
        {
            return new MountError(MountErrorKind.NotADirectory, path, "a mount point must be a directory");
        }

        if (!Directory.Exists(path))
        {
            return new MountError(MountErrorKind.NotFound, path, "there is no such directory; make it first");
        }

        try
        {
            return Directory.EnumerateFileSystemEntries(path).Any()
                ? new MountError(
                    MountErrorKind.NotEmpty, path, "the directory is not empty, and a mount would hide what is in it")
                : Unit.Value;
        }
        catch (UnauthorizedAccessException denied)
        {
            return new MountError(MountErrorKind.NotPermitted, path, denied.Message);
        }
        catch (IOException failed)
        {
            return new MountError(MountErrorKind.Other, path, failed.Message);
        }
    }

    private static Result<SafeFileHandle, MountError> MountAsRoot(string path, FuseMountOptions options)
    {
        int file = FuseSystem.Open(Device, FuseSystem.OpenReadWriteCloseOnExec, 0);
        if (file < 0)
        {
            return OpenError(path, Marshal.GetLastPInvokeError());
        }

        var device = new SafeFileHandle(file, ownsHandle: true);
        string data = string.Create(
            CultureInfo.InvariantCulture,
            $"fd={file},rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other,"
            + $"max_read={options.RequestBytesMax}");
        ulong flags = FuseSystem.MountNoSetUserId | FuseSystem.MountNoDevices;
        if (FuseSystem.Mount(options.Source, path, FileSystemType, flags, data) == 0)
        {
            return device;
        }

        int number = Marshal.GetLastPInvokeError();
        device.Dispose();
        return number switch
        {
            FuseSystem.NotPermitted or FuseSystem.AccessDenied => new MountError(
                MountErrorKind.NotPermitted, path, "the system does not let this process mount (a container?)"),
            FuseSystem.Busy => new MountError(MountErrorKind.Busy, path, "the directory is in use"),
            FuseSystem.NoDevice =>
                new MountError(MountErrorKind.NoFuse, path, "the kernel has no FUSE; try modprobe fuse"),
            _ => new MountError(MountErrorKind.Other, path, Words(number)),
        };
    }

    private static MountError OpenError(string path, int number) => number switch
    {
        FuseSystem.NoEntry or FuseSystem.NoDevice or FuseSystem.NoDeviceOrAddress => new MountError(
            MountErrorKind.NoFuse, path, "there is no /dev/fuse; try modprobe fuse, or pass it into the container"),
        FuseSystem.NotPermitted or FuseSystem.AccessDenied => new MountError(
            MountErrorKind.NotPermitted, path, "this user may not open /dev/fuse"),
        _ => new MountError(MountErrorKind.Other, path, $"/dev/fuse: {Words(number)}"),
    };

    private static string HelperOptions(FuseMountOptions options)
    {
        // A comma or backslash in the source would end the option.
        string source = options.Source.Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace(",", "\\,", StringComparison.Ordinal);
        string everybody = FuseSystem.EffectiveUserId() == 0 ? ",allow_other" : string.Empty;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"default_permissions,nosuid,nodev,max_read={options.RequestBytesMax},"
            + $"subtype=cairn{everybody},fsname={source}");
    }

    /// <summary>
    /// The kernel caps readahead at the mount's device setting, 128 KiB at first. Without the right it stays there.
    /// </summary>
    private static void RaiseReadahead(string path, int bytes)
    {
        if (MountTable.Find(path) is not { } mounted)
        {
            return;
        }

        try
        {
            File.WriteAllText(
                $"/sys/class/bdi/{mounted.Device}/read_ahead_kb", (bytes >> 10).ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // Slower reading ahead is all it costs.
        }
    }

    private static string Words(int error) => Marshal.GetPInvokeErrorMessage(error);
}
