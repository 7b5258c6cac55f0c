using Cairn.Core.Primitives;
using Cairn.Core.Text;

namespace Cairn.Node.Volumes;

/// <summary>A volume by path, for doors that have no inode numbers: the command line, REST.</summary>
/// <remarks>Paths are text as <see cref="NameText"/> writes it, with '/'; leading, trailing and doubled slashes do not count. Links are not followed.</remarks>
public static class PathFacade
{
    /// <summary>What a path names; the empty path is the root.</summary>
    public static async ValueTask<Result<ObjectAttributes, VolumeError>> Resolve(this IVolume volume, string path)
    {
        Result<ObjectAttributes, VolumeError> found = await volume.GetAttributes(InodeNumber.Root);
        foreach (ReadOnlyMemory<byte> name in NameText.Split(path))
        {
            if (!found.TryGet(out ObjectAttributes attributes, out _))
            {
                return found;
            }

            found = attributes.Kind == ObjectKind.Directory
                ? await volume.Lookup(attributes.Inode, name)
                : VolumeError.NotADirectory;
        }

        return found;
    }

    /// <summary>The directory a path lies in, and its last name; the root has none.</summary>
    public static async ValueTask<Result<(InodeNumber Parent, ReadOnlyMemory<byte> Name), VolumeError>> ResolveParent(
        this IVolume volume, string path)
    {
        List<ReadOnlyMemory<byte>> names = NameText.Split(path);
        if (names.Count == 0)
        {
            return VolumeError.InvalidArgument;
        }

        string parent = NameText.Join(names.Take(names.Count - 1));
        Result<ObjectAttributes, VolumeError> found = await Resolve(volume, parent);
        if (!found.TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return error;
        }

        return attributes.Kind == ObjectKind.Directory ? (attributes.Inode, names[^1]) : VolumeError.NotADirectory;
    }

    /// <summary>Makes a directory and, if asked, those above it; existing ones are left as they are when parents are asked for.</summary>
    public static async ValueTask<Result<ObjectAttributes, VolumeError>> MakeDirectories(
        this IVolume volume, string path, bool parents, Caller caller)
    {
        if (!parents)
        {
            Result<(InodeNumber Parent, ReadOnlyMemory<byte> Name), VolumeError> place = await ResolveParent(volume, path);
            return place.TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) at, out VolumeError error)
                ? await volume.MakeDirectory(at.Parent, at.Name, DirectoryMode, caller)
                : error;
        }

        Result<ObjectAttributes, VolumeError> current = await volume.GetAttributes(InodeNumber.Root);
        foreach (ReadOnlyMemory<byte> name in NameText.Split(path))
        {
            if (!current.TryGet(out ObjectAttributes attributes, out _))
            {
                return current;
            }

            current = await volume.MakeDirectory(attributes.Inode, name, DirectoryMode, caller);
            if (!current.IsOk && current.Error == VolumeError.AlreadyExists)
            {
                current = await volume.Lookup(attributes.Inode, name);
            }

            if (current.IsOk && current.Value.Kind != ObjectKind.Directory)
            {
                return VolumeError.NotADirectory;
            }
        }

        return current;
    }

    /// <summary>Removes an entry; with <paramref name="recursive"/> a directory goes with what is below it.</summary>
    public static async ValueTask<Result<Unit, VolumeError>> Remove(
        this IVolume volume, InodeNumber parent, ReadOnlyMemory<byte> name, bool recursive, Caller caller)
    {
        Result<ObjectAttributes, VolumeError> found = await volume.Lookup(parent, name);
        if (!found.TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return error;
        }

        if (attributes.Kind != ObjectKind.Directory)
        {
            return await volume.Unlink(parent, name, caller);
        }

        return recursive
            ? await RemoveTree(volume, new OpenFolder(attributes.Inode, parent, name), caller)
            : await volume.RemoveDirectory(parent, name, caller);
    }

    /// <summary>Removes a directory and what is in it, but for what somebody else removed or moved away meanwhile.</summary>
    /// <remarks>By a list of its own and not by calling itself: a tree may be deeper than the stack.</remarks>
    private static async ValueTask<Result<Unit, VolumeError>> RemoveTree(IVolume volume, OpenFolder top, Caller caller)
    {
        Stack<OpenFolder> open = new([top]);
        while (open.TryPeek(out OpenFolder? folder))
        {
            Result<Unit, VolumeError> removed;
            if (folder.Left.TryDequeue(out DirectoryEntry entry))
            {
                if (entry.Attributes.Kind == ObjectKind.Directory)
                {
                    open.Push(new OpenFolder(entry.Attributes.Inode, folder.Inode, entry.Name));
                    continue;
                }

                removed = await volume.Unlink(folder.Inode, entry.Name, caller);
            }
            else
            {
                if (!(await folder.ReadOn(volume)).TryGet(out bool hasMore, out VolumeError error))
                {
                    return error;
                }

                if (hasMore)
                {
                    continue;
                }

                open.Pop();
                removed = await volume.RemoveDirectory(folder.Parent, folder.Name, caller);
                if (!open.TryPeek(out folder))
                {
                    return removed;
                }
            }

            if (!removed.IsOk && removed.Error != VolumeError.NotFound)
            {
                return removed;
            }

            folder.IsAnyGone |= removed.IsOk;
        }

        return Unit.Value;
    }

    /// <summary>A directory that is being emptied.</summary>
    private sealed class OpenFolder(InodeNumber inode, InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        private ulong _cookie;

        public InodeNumber Inode { get; } = inode;

        public InodeNumber Parent { get; } = parent;

        public ReadOnlyMemory<byte> Name { get; } = name;

        /// <summary>What was listed and not looked at yet.</summary>
        public Queue<DirectoryEntry> Left { get; private set; } = [];

        /// <summary>Whether anything was removed since the listing began.</summary>
        public bool IsAnyGone { get; set; }

        /// <summary>Lists on; false when nothing is left that can be removed.</summary>
        /// <remarks>Each listing that begins sorts all names that are left: one is gone through to its end before the next.</remarks>
        public async ValueTask<Result<bool, VolumeError>> ReadOn(IVolume volume)
        {
            while (true)
            {
                Result<IReadOnlyList<DirectoryEntry>, VolumeError> listed =
                    await volume.ReadDirectory(Inode, _cookie, EntriesPerStep);
                if (!listed.TryGet(out IReadOnlyList<DirectoryEntry>? entries, out VolumeError error))
                {
                    return error;
                }

                if (entries.Count > 0)
                {
                    _cookie = entries[^1].Cookie;
                    Left = new Queue<DirectoryEntry>(entries);
                    return true;
                }

                if (!IsAnyGone)
                {
                    return false;
                }

                (_cookie, IsAnyGone) = (0, false);
            }
        }
    }

    private const uint DirectoryMode = 0x1ED;   // 0755
    private const int EntriesPerStep = 256;
}
