using Cairn.Core.Primitives;
using Cairn.Storage.Ports;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.Disk;

/// <summary>A folder of the host's file system. Files are 0600 and folders 0700: the home is nobody else's.</summary>
public sealed class RealDisk : IDisk
{
    private const int FileAccess = 0x180; // 0600
    private const int FolderAccess = 0x1C0; // 0700

    private RealDisk(string root) => Root = root;

    /// <summary>The absolute path below which everything lies.</summary>
    public string Root { get; }

    /// <summary>Opens a root, making it and its parents if absent.</summary>
    public static Result<RealDisk, DiskError> OpenRoot(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string root = Path.GetFullPath(folder);
        return MakeFolders(root, folder).TryGet(out _, out DiskError error) ? new RealDisk(root) : error;
    }

    /// <inheritdoc/>
    public Result<IDiskFile, DiskError> Open(string path, DiskOpenMode mode)
    {
        int flags = mode switch
        {
            DiskOpenMode.Read => LibC.ReadOnly,
            DiskOpenMode.ReadWrite => LibC.ReadWrite,
            DiskOpenMode.OpenOrCreate => LibC.ReadWrite | LibC.Create,
            DiskOpenMode.CreateNew => LibC.ReadWrite | LibC.Create | LibC.Exclusive,
            _ => throw new ArgumentOutOfRangeException(nameof(mode)),
        };
        int descriptor = OpenDescriptor(FullPath(path), flags);
        return descriptor < 0
            ? Errno.Last(path)
            : new RealDiskFile(path, new SafeFileHandle(descriptor, ownsHandle: true));
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> Delete(string path) => Done(LibC.Unlink(FullPath(path)), path);

    /// <inheritdoc/>
    public Result<Unit, DiskError> Rename(string from, string to) =>
        Done(LibC.Rename(FullPath(from), FullPath(to)), from);

    /// <inheritdoc/>
    public Result<IReadOnlyList<string>, DiskError> List(string folder)
    {
        try
        {
            string[] paths = Directory.GetFiles(FullPath(folder));
            string[] names = Array.ConvertAll(paths, static path => Path.GetFileName(path));
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (DirectoryNotFoundException)
        {
            return Array.Empty<string>();
        }
        catch (UnauthorizedAccessException refused)
        {
            return new DiskError(DiskErrorKind.NotPermitted, folder, refused.Message);
        }
        catch (IOException failed)
        {
            return new DiskError(DiskErrorKind.InputOutput, folder, failed.Message);
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> CreateDirectory(string folder) => MakeFolders(FullPath(folder), folder);

    /// <inheritdoc/>
    public Result<Unit, DiskError> SyncDirectory(string folder)
    {
        int descriptor = OpenDescriptor(FullPath(folder), LibC.ReadOnly);
        if (descriptor < 0)
        {
            return Errno.Last(folder);
        }

        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        int result;
        do
        {
            result = LibC.SyncAll(handle);
        }
        while (result != 0 && Errno.WasInterrupted);
        return Done(result, folder);
    }

    /// <inheritdoc/>
    public Result<DiskSpace, DiskError> Space()
    {
        int result = LibC.FileSystem(Root, out LibC.FileSystemStatus status);
        return result != 0
            ? Errno.Last(".")
            : new DiskSpace(
                (long)(status.Blocks * status.FragmentSize),
                (long)(status.BlocksAvailable * status.FragmentSize));
    }

    private static Result<Unit, DiskError> Done(int result, string path) =>
        result == 0 ? Unit.Value : Errno.Last(path);

    private static int OpenDescriptor(string path, int flags)
    {
        int descriptor;
        do
        {
            descriptor = LibC.Open(path, flags | LibC.CloseOnExec, FileAccess);
        }
        while (descriptor < 0 && Errno.WasInterrupted);
        return descriptor;
    }

    // Parents first; a folder that exists already is what was asked for.
    private static Result<Unit, DiskError> MakeFolders(string fullPath, string shownPath)
    {
        if (Directory.Exists(fullPath))
        {
            return Unit.Value;
        }

        if (Path.GetDirectoryName(fullPath) is { Length: > 0 } parent
            && !MakeFolders(parent, shownPath).TryGet(out _, out DiskError error))
        {
            return error;
        }

        bool made = LibC.MakeDirectory(fullPath, FolderAccess) == 0;
        DiskError failure = made ? default : Errno.Last(shownPath);
        return made || (failure.Kind == DiskErrorKind.AlreadyExists && Directory.Exists(fullPath))
            ? Unit.Value
            : failure;
    }

    private string FullPath(string path)
    {
        Invariant.That(IsBelowRoot(path), $"a path that leaves the disk's root: {path}");
        return path.Length == 0 || path == "." ? Root : Path.Join(Root, path);
    }

    private static bool IsBelowRoot(string path)
    {
        if (path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        foreach (Range part in path.AsSpan().Split('/'))
        {
            if (path.AsSpan()[part] is "..")
            {
                return false;
            }
        }

        return true;
    }
}
