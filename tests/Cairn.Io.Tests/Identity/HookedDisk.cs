using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Io.Tests.Identity;

/// <summary>A disk that tells a test what is done with it, in the middle.</summary>
internal sealed class HookedDisk(IDisk inner) : IDisk
{
    /// <summary>Told the path of a file that was opened.</summary>
    public Action<string> Opened { get; init; } = static _ => { };

    /// <summary>Told before a file is renamed.</summary>
    public Action Renaming { get; init; } = static () => { };

    public Result<IDiskFile, DiskError> Open(string path, DiskOpenMode mode)
    {
        Result<IDiskFile, DiskError> opened = inner.Open(path, mode);
        if (opened.IsOk)
        {
            Opened(path);
        }

        return opened;
    }

    public Result<Unit, DiskError> Delete(string path) => inner.Delete(path);

    public Result<Unit, DiskError> Rename(string from, string to)
    {
        Renaming();
        return inner.Rename(from, to);
    }

    public Result<IReadOnlyList<string>, DiskError> List(string folder) => inner.List(folder);

    public Result<Unit, DiskError> CreateDirectory(string folder) => inner.CreateDirectory(folder);

    public Result<Unit, DiskError> SyncDirectory(string folder) => inner.SyncDirectory(folder);

    public Result<DiskSpace, DiskError> Space() => inner.Space();
}
