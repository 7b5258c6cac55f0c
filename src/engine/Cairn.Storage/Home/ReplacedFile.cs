using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Home;

/// <summary>Replaces a file whole and durably: a crash at any point leaves the old content or the new.</summary>
internal static class ReplacedFile
{
    /// <summary>Writes both parts into a file beside it, syncs that, and renames it over the old one.</summary>
    public static Result<Unit, DiskError> Write(
        IDisk disk, string path, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        string temporary = path + ".new";
        if (!disk.Open(temporary, DiskOpenMode.OpenOrCreate).TryGet(out IDiskFile? file, out DiskError error))
        {
            return error;
        }

        Result<Unit, DiskError> written;
        using (file)
        {
            // One that a crash left may be longer.
            written = file.SetLength(0);
            written = written.IsOk ? file.Write(0, first, second) : written;
            written = written.IsOk ? file.Sync() : written;
        }

        int slash = path.LastIndexOf('/');
        written = written.IsOk ? disk.Rename(temporary, path) : written;
        return written.IsOk ? disk.SyncDirectory(slash < 0 ? string.Empty : path[..slash]) : written;
    }
}
