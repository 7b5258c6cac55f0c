using System.Globalization;
using System.Text;
using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Node.Ports;
using Cairn.Storage.Ports;

namespace Cairn.Io.Index;

/// <summary>A small file beside an index: it was closed in order, and is as it was then.</summary>
/// <remarks>
/// Format: docs/formats/home.md. It spares a start the walk over all pages. It is durably gone before the first change, so
/// no crash leaves it beside a file that was written meanwhile; a file that is not as long or as old as the mark says, or
/// has changes in its write-ahead log, has none. Bits that rot below it are what the age is for: the walk is made again
/// when the last is a week ago. Thread: any removes it; the rest one at a time.
/// </remarks>
internal sealed class CleanMark(string path)
{
    /// <summary>What is put behind an index's path for the mark's.</summary>
    internal const string Suffix = "-clean";

    private const string Magic = "cairn index clean 1";
    private const int BytesMax = 256;
    private static readonly TimeSpan AgeMax = TimeSpan.FromDays(7);

    private readonly string _marked = path + Suffix;
    private readonly Lock _removing = new();
    private bool _isDeleted;
    private bool _isGone;

    /// <summary>When the pages were last walked; null while that is to be done.</summary>
    internal DateTime? Checked { get; private set; }

    /// <summary>Whether the file may be used as it is.</summary>
    internal bool IsTrusted()
    {
        Checked = null;
        try
        {
            var index = new FileInfo(path);
            var log = new FileInfo(path + "-wal");
            var mark = new FileInfo(_marked);
            if (!index.Exists || (log.Exists && log.Length > 0) || !mark.Exists || mark.Length > BytesMax)
            {
                return false;
            }

            string[] lines = File.ReadAllText(_marked, Encoding.ASCII).Split('\n');
            if (lines is not [Magic, string length, string written, string walked, "", ..]
                || length != Text(index.Length) || written != Text(index.LastWriteTimeUtc.Ticks)
                || !long.TryParse(walked, NumberStyles.None, CultureInfo.InvariantCulture, out long ticks)
                || ticks > DateTime.MaxValue.Ticks)
            {
                return false;
            }

            // A clock that was set back says nothing about the age.
            var last = new DateTime(ticks, DateTimeKind.Utc);
            TimeSpan age = DateTime.UtcNow - last;
            Checked = age >= TimeSpan.Zero && age < AgeMax ? last : null;
            return Checked is not null;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>All pages were walked just now, and nothing was found.</summary>
    internal void NoteChecked() => Checked = DateTime.UtcNow;

    /// <summary>Takes the mark away for good, before anything is written.</summary>
    internal Result<Unit, IndexError> Remove()
    {
        lock (_removing)
        {
            Result<Unit, IndexError> removed = _isGone ? Unit.Value : RemoveOnce();
            _isGone = removed.IsOk;
            return removed;
        }
    }

    /// <summary>Says that the file was closed in order. If that cannot be written, the next start walks over the pages.</summary>
    internal void Write()
    {
        try
        {
            var index = new FileInfo(path);
            if (Checked is { } walked && index.Exists && !File.Exists(path + "-wal"))
            {
                string written = Text(index.LastWriteTimeUtc.Ticks);
                string[] lines = [Magic, Text(index.Length), written, Text(walked.Ticks), ""];
                File.WriteAllText(_marked, string.Join('\n', lines), Encoding.ASCII);
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            // What is half there is no mark.
        }
    }

    private Result<Unit, IndexError> RemoveOnce()
    {
        try
        {
            if (_isDeleted || File.Exists(_marked))
            {
                File.Delete(_marked);
                _isDeleted = true;
                Result<RealDisk, DiskError> folder = RealDisk.OpenRoot(Path.GetDirectoryName(Path.GetFullPath(path))!);
                Result<Unit, DiskError> synced = folder.IsOk ? folder.Value.SyncDirectory(string.Empty) : folder.Error;
                if (!synced.IsOk)
                {
                    return new IndexError($"{_marked}: {synced.Error.Detail}");
                }
            }

            return Unit.Value;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return new IndexError($"{_marked}: {failed.Message}");
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
