using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Engine;
using Cairn.Node.Volumes;

namespace Cairn.Node.LocalFiles;

/// <summary>Which names of a volume stay on this node, by the `.cairnignore` files in its folders.</summary>
/// <remarks>
/// A name is ignored if it or a folder above it is; of the files that have a say the deepest decides first.
/// What was read is kept until the file, or its absence, changes. Thread: any.
/// </remarks>
internal sealed class IgnoreRules(VolumeEngine volume) : IVolumeWatcher
{
    private const int RememberedMax = 4096;
    private static readonly byte[] FileName = System.Text.Encoding.ASCII.GetBytes(IgnorePatterns.FileName);

    private readonly Lock _gate = new();
    private readonly Dictionary<InodeNumber, Remembered> _folders = [];
    private long _changes;

    /// <summary>Whether a name stays local.</summary>
    public async ValueTask<bool> IsIgnored(InodeNumber folder, ReadOnlyMemory<byte> name, bool isFolder)
    {
        IReadOnlyList<FolderOnPath> path = volume.PathOf(folder);
        var patterns = new IgnorePatterns[path.Count];
        bool isAny = false;
        for (int i = 0; i < patterns.Length; i++)
        {
            patterns[i] = await PatternsOf(path[i].Folder);
            isAny |= !patterns[i].IsEmpty;
        }

        return isAny && IsIgnored([.. path.Skip(1).Select(step => step.Name), name], patterns, isFolder);
    }

    /// <inheritdoc/>
    public void ObjectChanged(InodeNumber inode, bool contentChanged, long? grownFrom = null)
    {
        // What is in a file is checked by its time and size when it is asked.
    }

    /// <inheritdoc/>
    public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        if (name.Span.SequenceEqual(FileName))
        {
            lock (_gate)
            {
                _changes++;
                _folders.Remove(parent);
            }
        }
    }

    private static bool IsIgnored(ReadOnlyMemory<byte>[] names, IgnorePatterns[] patterns, bool isFolder)
    {
        for (int last = 0; last < names.Length; last++)
        {
            bool? decided = null;
            byte[] path = [];
            for (int first = Math.Min(last, patterns.Length - 1); first >= 0 && decided is null; first--)
            {
                path = [.. names[first].Span, .. path.Length == 0 ? [] : "/"u8, .. path];
                decided = patterns[first].Decide(path, last < names.Length - 1 || isFolder);
            }

            if (decided == true)
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask<IgnorePatterns> PatternsOf(InodeNumber folder)
    {
        Remembered? known;
        long changes;
        lock (_gate)
        {
            known = _folders.GetValueOrDefault(folder);
            changes = _changes;
        }

        if (known is { File: null })
        {
            return IgnorePatterns.None;
        }

        Result<ObjectAttributes, VolumeError> found = await volume.Lookup(folder, FileName);
        bool isThere = found.TryGet(out ObjectAttributes attributes, out _) && attributes.Kind == ObjectKind.File;
        ObjectAttributes? file = isThere ? attributes : null;
        if (known is not null && file is { } same && known.IsOf(same))
        {
            return known.Patterns;
        }

        if (file is not { } newer)
        {
            Remember(folder, new Remembered(null, IgnorePatterns.None), changes);
            return IgnorePatterns.None;
        }

        // What cannot be read now (who has it is away) is asked for again: what it said before holds until then.
        if (await Read(newer) is not { } patterns)
        {
            return known?.Patterns ?? IgnorePatterns.None;
        }

        Remember(folder, new Remembered(newer, patterns), changes);
        return patterns;
    }

    /// <summary>
    /// Keeps what was found, unless such a file came or went while it was looked for: "none" would be believed for ever.
    /// </summary>
    private void Remember(InodeNumber folder, Remembered found, long changesBefore)
    {
        lock (_gate)
        {
            if (_changes != changesBefore)
            {
                return;
            }

            if (_folders.Count >= RememberedMax)
            {
                _folders.Clear();
            }

            _folders[folder] = found;
        }
    }

    /// <summary>What a file says; null when it cannot be read now.</summary>
    private async ValueTask<IgnorePatterns?> Read(ObjectAttributes file)
    {
        Result<OpenedFile, VolumeError> opened = await volume.Open(file.Inode, OpenIntent.Read, Caller.Daemon);
        if (!opened.TryGet(out OpenedFile handle, out _))
        {
            return null;
        }

        byte[] text = new byte[Math.Min(file.SizeBytes, IgnorePatterns.FileBytesMax)];
        Result<int, VolumeError> read = await volume.Read(handle.Handle, 0, text);
        await volume.Release(handle.Handle);
        return read.TryGet(out int length, out _) ? IgnorePatterns.Parse(text.AsSpan(0, length)) : null;
    }

    /// <param name="File">The file as it was when it was read; null if there is none.</param>
    /// <param name="Patterns">What it said.</param>
    private sealed record Remembered(ObjectAttributes? File, IgnorePatterns Patterns)
    {
        public bool IsOf(ObjectAttributes now) => File is { } then && then.Inode == now.Inode
            && then.Modified == now.Modified && then.SizeBytes == now.SizeBytes;
    }
}
