using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.FuseDevice;

/// <summary>Mounts and unmounts by the set-user-id program fusermount3, for those who are not root.</summary>
internal static unsafe class FusermountHelper
{
    private const string Program = "fusermount3";
    private const int UnixDomain = 1;
    private const int Stream = 1;
    private const int SetDescriptorFlags = 2;
    private const int CloseOnExec = 1;

    /// <summary>CMSG_LEN(sizeof(int)) and CMSG_SPACE(sizeof(int)).</summary>
    private const int ControlLength = 20;
    private const int ControlSpace = 24;

    /// <summary>The program opens /dev/fuse, mounts it and sends the descriptor back over a socket.</summary>
    internal static Result<SafeFileHandle, MountError> Mount(string directory, string options)
    {
        int* pair = stackalloc int[2];
        if (FuseSystem.SocketPair(UnixDomain, Stream, 0, pair) != 0)
        {
            return new MountError(MountErrorKind.Other, directory, Words(Marshal.GetLastPInvokeError()));
        }

        // Only the program's end is inherited.
        _ = FuseSystem.FileControl(pair[0], SetDescriptorFlags, CloseOnExec);
        string socket = pair[1].ToString(CultureInfo.InvariantCulture);
        Result<Unit, MountError> ran = Run(directory, socket, "-o", options, "--", directory);
        _ = FuseSystem.Close(pair[1]);
        int device = ran.IsOk ? ReceiveDescriptor(pair[0]) : -1;
        _ = FuseSystem.Close(pair[0]);
        if (!ran.IsOk)
        {
            return ran.Error;
        }

        return device >= 0
            ? new SafeFileHandle(device, ownsHandle: true)
            : new MountError(MountErrorKind.Other, directory, "fusermount3 sent no device");
    }

    internal static Result<Unit, MountError> Unmount(string directory, bool detach) =>
        detach ? Run(directory, null, "-u", "-z", "--", directory) : Run(directory, null, "-u", "--", directory);

    private static Result<Unit, MountError> Run(string directory, string? socket, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program, arguments) { RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        if (socket is not null)
        {
            start.Environment["_FUSE_COMMFD"] = socket;
        }

        try
        {
            using Process process = Process.Start(start)!;
            string words = process.StandardError.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? Unit.Value : new MountError(KindOf(words), directory, words);
        }
        catch (Win32Exception)
        {
            return new MountError(
                MountErrorKind.NoHelper,
                directory,
                "only root can mount without fusermount3; install the package fuse3");
        }
    }

    private static MountErrorKind KindOf(string words)
    {
        (string Part, MountErrorKind Kind)[] known =
        [
            ("busy", MountErrorKind.Busy),
            ("ermission denied", MountErrorKind.NotPermitted),
            ("not permitted", MountErrorKind.NotPermitted),
            ("no write access", MountErrorKind.NotPermitted),
            ("not owned", MountErrorKind.NotPermitted),
            ("device not found", MountErrorKind.NoFuse),
            ("No such file", MountErrorKind.NotFound),
        ];
        foreach ((string part, MountErrorKind kind) in known)
        {
            if (words.Contains(part, StringComparison.Ordinal))
            {
                return kind;
            }
        }

        return MountErrorKind.Other;
    }

    private static int ReceiveDescriptor(int socket)
    {
        byte one = 0;
        byte* control = stackalloc byte[ControlSpace];
        new Span<byte>(control, ControlSpace).Clear();
        var vector = new FuseSystem.IoVector { Base = &one, Length = 1 };
        var message = new FuseSystem.MessageHeader
        {
            Vectors = &vector,
            VectorCount = 1,
            Control = control,
            ControlLength = ControlSpace,
        };
        nint count = FuseSystem.ReceiveMessage(socket, &message, 0);
        if (count < 1 || message.ControlLength < ControlLength)
        {
            return -1;
        }

        // struct cmsghdr: length (8 bytes), level (4), type (4), then the descriptor.
        int device = *(int*)(control + 16);
        _ = FuseSystem.FileControl(device, SetDescriptorFlags, CloseOnExec);
        return device;
    }

    private static string Words(int error) => Marshal.GetPInvokeErrorMessage(error);
}
