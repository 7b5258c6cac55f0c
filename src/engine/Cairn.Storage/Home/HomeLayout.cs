using System.Globalization;
using System.Text;
using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Home;

/// <summary>A node's home: which format it has, and that one daemon at a time runs on it.</summary>
/// <remarks>
/// Files and folders below the home are named here and nowhere else. Format: docs/formats/home.md.
/// </remarks>
public sealed class HomeLayout : IDisposable
{
    /// <summary>The newest format this program knows.</summary>
    public const int Version = 2;

    /// <summary>The format of a new home. It is raised before anything is written that programs of this format do not know.</summary>
    public const int VersionOfNew = 1;

    /// <summary>The format from which on a log may begin later than with its first block: an older program takes it for damaged.</summary>
    public const int VersionOfBeginnings = 2;

    /// <summary>The file that names the format.</summary>
    public const string VersionFile = "version";

    /// <summary>The file whose lock the running daemon holds.</summary>
    public const string LockFile = "lock";

    /// <summary>Journal segments.</summary>
    public const string JournalFolder = "journal";

    /// <summary>Chunk store: pack files and the index's snapshot.</summary>
    public const string PacksFolder = "packs";

    /// <summary>Members' logs, by volume.</summary>
    public const string LogsFolder = "logs";

    /// <summary>Rebuildable databases.</summary>
    public const string IndexFolder = "index";

    /// <summary>Identity and volume keys.</summary>
    public const string KeysFolder = "keys";

    private static readonly CompositeFormat VersionText = CompositeFormat.Parse("cairn home {0}\n");

    private readonly IDiskFile _lock;

    private HomeLayout(IDiskFile lockFile, bool isNew)
    {
        _lock = lockFile;
        IsNew = isNew;
    }

    /// <summary>Whether the home was made by this opening.</summary>
    public bool IsNew { get; }

    /// <summary>Locks the home, and makes it if there is none.</summary>
    /// <returns>
    /// <see cref="StoreErrorKind.InUse"/> while another daemon runs on it, <see cref="StoreErrorKind.NewerFormat"/> for
    /// a home of a later Cairn, <see cref="StoreErrorKind.Corrupt"/> if the version file makes no sense.
    /// </returns>
    public static Result<HomeLayout, StoreError> Open(IDisk disk)
    {
        if (!disk.Open(LockFile, DiskOpenMode.OpenOrCreate).TryGet(out IDiskFile? lockFile, out DiskError error))
        {
            return StoreError.From(error);
        }

        Result<Unit, DiskError> locked = lockFile.TryLock();
        if (!locked.IsOk)
        {
            lockFile.Dispose();
            return locked.Error.Kind == DiskErrorKind.Locked
                ? new StoreError(StoreErrorKind.InUse, LockFile, "another daemon runs on this home")
                : StoreError.From(locked.Error);
        }

        Result<bool, StoreError> ready = ReadOrMake(disk);
        if (!ready.IsOk)
        {
            lockFile.Dispose();
            return ready.Error;
        }

        return new HomeLayout(lockFile, ready.Value);
    }

    /// <summary>Before something is written that older programs do not know: from now on they refuse the home.</summary>
    /// <remarks>It survives power loss when it returns. Where there is no home, nothing is done.</remarks>
    public static Result<Unit, StoreError> Raise(IDisk disk, int version)
    {
        if (!Read(disk).TryGet(out int? now, out StoreError error))
        {
            return error;
        }

        return now is { } older && older < version ? Write(disk, version) : Unit.Value;
    }

    /// <summary>Gives the lock back.</summary>
    public void Dispose() => _lock.Dispose();

    private static Result<bool, StoreError> ReadOrMake(IDisk disk)
    {
        if (!Read(disk).TryGet(out int? version, out StoreError error))
        {
            return error;
        }

        return version is { } format ? (format > Version ? TooNew(format) : false) : Make(disk);
    }

    private static StoreError TooNew(int format) => new(
        StoreErrorKind.NewerFormat, VersionFile, $"format {format}; this program knows up to {Version}");

    /// <returns>Which format the home has; null if there is none.</returns>
    private static Result<int?, StoreError> Read(IDisk disk)
    {
        Result<IDiskFile, DiskError> opened = disk.Open(VersionFile, DiskOpenMode.Read);
        if (!opened.IsOk)
        {
            return opened.Error.Kind == DiskErrorKind.NotFound
                ? Result<int?, StoreError>.Ok(null)
                : StoreError.From(opened.Error);
        }

        using IDiskFile file = opened.Value;
        if (!file.Length().TryGet(out long length, out DiskError error))
        {
            return StoreError.From(error);
        }

        byte[] bytes = new byte[Math.Min(length, 64)];
        Result<Unit, DiskError> read = file.Read(0, bytes);
        if (!read.IsOk)
        {
            return StoreError.From(read.Error);
        }

        string text = Encoding.ASCII.GetString(bytes);
        bool isParsed = text.StartsWith("cairn home ", StringComparison.Ordinal) & text.EndsWith('\n');
        int version = 0;
        isParsed = isParsed
            && int.TryParse(
                text.AsSpan(11, text.Length - 12), NumberStyles.None, CultureInfo.InvariantCulture, out version);
        return isParsed
            ? version
            : new StoreError(StoreErrorKind.Corrupt, VersionFile, "it does not name a format");
    }

    /// <summary>Makes the folders, then names the format by a rename, so that a crash leaves no home or a whole one.</summary>
    private static Result<bool, StoreError> Make(IDisk disk)
    {
        foreach (string folder in new[] { JournalFolder, PacksFolder, LogsFolder, IndexFolder, KeysFolder })
        {
            Result<Unit, DiskError> made = disk.CreateDirectory(folder);
            if (!made.IsOk)
            {
                return StoreError.From(made.Error);
            }
        }

        return Write(disk, VersionOfNew).TryGet(out _, out StoreError error) ? true : error;
    }

    private static Result<Unit, StoreError> Write(IDisk disk, int version)
    {
        byte[] text = Encoding.ASCII.GetBytes(string.Format(CultureInfo.InvariantCulture, VersionText, version));
        return ReplacedFile.Write(disk, VersionFile, text).TryGet(out _, out DiskError error)
            ? Unit.Value
            : StoreError.From(error);
    }
}
