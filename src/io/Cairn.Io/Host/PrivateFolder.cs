using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Storage.Ports;

namespace Cairn.Io.Host;

/// <summary>A folder in a place where everybody may make folders: used only if it is this user's alone.</summary>
/// <remarks>
/// Whoever makes it first under the name that is about to be used could put a socket of its own there, and be told the
/// passphrase.
/// </remarks>
public static class PrivateFolder
{
    private const int OnlyOwner = 0x1C0; // 0700
    private const int Permissions = 0x1FF;
    private const uint OthersPermissions = 0x3F; // 077
    private const int TypeMask = 0xF000;
    private const int Folder = 0x4000;

    /// <summary>What this process and those it starts make from now on, only its user can open.</summary>
    /// <remarks>For the files of a home whose folder was there before, perhaps open to everybody.</remarks>
    public static void KeepAllPrivate() => _ = LibC.MaskModes(OthersPermissions);

    /// <summary>Makes it, if it is not there.</summary>
    /// <returns>Why it is not to be used: what the system says, or <see cref="DiskErrorKind.NotPermitted"/> for another's.</returns>
    public static Result<Unit, DiskError> Make(string path)
    {
        if (LibC.MakeDirectory(path, OnlyOwner) == 0)
        {
            return Unit.Value;
        }

        DiskError error = Errno.Last(path);
        return error.Kind == DiskErrorKind.AlreadyExists ? Check(path) : error;
    }

    /// <summary>Whether it is a folder, no link to one, of this user, and closed to all others.</summary>
    public static Result<Unit, DiskError> Check(string path)
    {
        int result = LibC.StatusOf(
            LibC.WorkingFolder, path, LibC.DoNotFollow, LibC.WantsTypeModeOwner, out LibC.FileStatus status);
        if (result != 0)
        {
            return Errno.Last(path);
        }

        bool isOurs = (status.Mode & TypeMask) == Folder && (status.Mode & Permissions) == OnlyOwner
            && status.Owner == LibC.EffectiveUserId();
        return isOurs
            ? Unit.Value
            : new DiskError(DiskErrorKind.NotPermitted, path, "it is not a folder of this user's alone (mode 0700)");
    }
}
