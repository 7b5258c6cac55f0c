using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Volumes;

/// <summary>
/// The tree of a <see cref="MemoryVolume"/>: POSIX's rules for names, links and directories, nothing else.
/// </summary>
/// <remarks>Not safe from several threads: the volume holds its lock around every call.</remarks>
internal sealed class MemoryNamespace
{
    private const int NameBytesMax = 255;
    private const int LinkTargetBytesMax = 4095;
    private const uint LinksMax = 65_000;

    private readonly Dictionary<ulong, MemoryObject> _objects = [];
    private readonly Prng _inodes;
    private readonly TimeProvider _time;
    private readonly MemoryObject _root;

    public MemoryNamespace(ulong seed, TimeProvider time)
    {
        _inodes = new Prng(seed);
        _time = time;
        _root = new MemoryObject(InodeNumber.Root, ObjectKind.Directory)
        {
            Entries = new(),
            Mode = 0x1ED,
            LinkCount = 2,
        };
        _root.Accessed = _root.Modified = _root.Changed = Now;
        _objects.Add(_root.Inode.Value, _root);
    }

    public WallTime Now => WallTime.From(_time.GetUtcNow());

    public int Count => _objects.Count;

    public Result<MemoryObject, VolumeError> Get(InodeNumber inode) =>
        _objects.TryGetValue(inode.Value, out MemoryObject? found) ? found : VolumeError.NotFound;

    public Result<MemoryObject, VolumeError> GetDirectory(InodeNumber inode)
    {
        Result<MemoryObject, VolumeError> found = Get(inode);
        return found.IsOk && found.Value.Entries is null ? VolumeError.NotADirectory : found;
    }

    public Result<MemoryEntry, VolumeError> Find(InodeNumber parent, ReadOnlySpan<byte> name)
    {
        if (!GetDirectory(parent).TryGet(out MemoryObject? directory, out VolumeError error)
            || !CheckName(name).TryGet(out _, out error))
        {
            return error;
        }

        return directory.Entries!.Find(name) is { } entry ? entry : VolumeError.NotFound;
    }

    /// <summary>
    /// Makes an object and its first entry; a set-group-id directory hands down its group, and the bit to
    /// directories.
    /// </summary>
    public Result<MemoryObject, VolumeError> Make(
        InodeNumber parent,
        ReadOnlySpan<byte> name,
        ObjectKind kind,
        uint mode,
        Caller caller,
        byte[]? linkTarget = null)
    {
        if (linkTarget is { Length: 0 or > LinkTargetBytesMax })
        {
            return linkTarget.Length == 0 ? VolumeError.InvalidArgument : VolumeError.NameTooLong;
        }

        Result<MemoryEntry, VolumeError> taken = Find(parent, name);
        if (taken.IsOk || taken.Error != VolumeError.NotFound || !Get(parent).IsOk)
        {
            return taken.IsOk ? VolumeError.AlreadyExists : taken.Error;
        }

        MemoryObject directory = Get(parent).Value;
        bool groupIsInherited = (directory.Mode & ModeBits.SetGroupId) != 0;
        bool isDirectory = kind == ObjectKind.Directory;
        var made = new MemoryObject(NextInode(), kind)
        {
            Mode = (mode & ModeBits.All) | (groupIsInherited && isDirectory ? ModeBits.SetGroupId : 0),
            UserId = caller.UserId,
            GroupId = groupIsInherited ? directory.GroupId : caller.GroupId,
            Content = kind == ObjectKind.File ? new() : null,
            Entries = isDirectory ? new() : null,
            LinkTarget = linkTarget ?? [],
            LinkCount = isDirectory ? 2u : 1u,
            Parent = isDirectory ? directory : null,
        };
        made.Accessed = made.Modified = made.Changed = Now;
        _objects.Add(made.Inode.Value, made);
        directory.Entries!.Add(name, made);
        directory.LinkCount += isDirectory ? 1u : 0u;
        Touch(directory);
        return made;
    }

    public Result<MemoryObject, VolumeError> Link(InodeNumber inode, InodeNumber parent, ReadOnlySpan<byte> name)
    {
        if (!Get(inode).TryGet(out MemoryObject? target, out VolumeError error)
            || !GetDirectory(parent).TryGet(out MemoryObject? directory, out error)
            || !CheckName(name).TryGet(out _, out error))
        {
            return error;
        }

        if (target.Entries is not null || target.LinkCount == 0 || target.LinkCount >= LinksMax)
        {
            return target.Entries is not null ? VolumeError.NotPermitted
                : target.LinkCount == 0 ? VolumeError.NotFound : VolumeError.TooManyLinks;
        }

        if (directory.Entries!.Find(name) is not null)
        {
            return VolumeError.AlreadyExists;
        }

        directory.Entries.Add(name, target);
        target.LinkCount++;
        target.Changed = Now;
        Touch(directory);
        return target;
    }

    /// <summary>Takes an entry away.</summary>
    public Result<MemoryObject, VolumeError> Remove(InodeNumber parent, ReadOnlySpan<byte> name, bool wantsDirectory)
    {
        if (!Find(parent, name).TryGet(out MemoryEntry? entry, out VolumeError error))
        {
            return error;
        }

        if (wantsDirectory != (entry.Target.Entries is not null))
        {
            return wantsDirectory ? VolumeError.NotADirectory : VolumeError.IsADirectory;
        }

        if (entry.Target.Entries is { Count: > 0 })
        {
            return VolumeError.NotEmpty;
        }

        MemoryObject directory = Get(parent).Value;
        directory.Entries!.Remove(entry);
        LoseEntry(entry.Target, directory);
        Touch(directory);
        return entry.Target;
    }

    public Result<Unit, VolumeError> Rename(
        InodeNumber fromParent,
        ReadOnlySpan<byte> fromName,
        InodeNumber toParent,
        ReadOnlySpan<byte> toName,
        RenameMode mode)
    {
        if (!Find(fromParent, fromName).TryGet(out MemoryEntry? from, out VolumeError error))
        {
            return error;
        }

        Result<MemoryEntry, VolumeError> found = Find(toParent, toName);
        MemoryEntry? to = found.IsOk ? found.Value : null;
        if (!GetDirectory(toParent).TryGet(out MemoryObject? toDirectory, out error)
            || !CheckName(toName).TryGet(out _, out error)
            || !CheckRename(from, to, Get(fromParent).Value, toDirectory, mode).TryGet(out _, out error))
        {
            return error;
        }

        if (to is not null && ReferenceEquals(from.Target, to.Target))
        {
            return Unit.Value;
        }

        MemoryObject fromDirectory = Get(fromParent).Value;
        if (mode == RenameMode.Exchange)
        {
            MemoryObject other = to!.Target;
            (from.Target, to.Target) = (other, from.Target);
            Reparent(to.Target, fromDirectory, toDirectory);
            Reparent(from.Target, toDirectory, fromDirectory);
            other.Changed = Now;
        }
        else
        {
            if (to is not null)
            {
                toDirectory.Entries!.Remove(to);
                LoseEntry(to.Target, toDirectory);
            }

            fromDirectory.Entries!.Remove(from);
            toDirectory.Entries!.Add(toName, from.Target);
            Reparent(from.Target, fromDirectory, toDirectory);
        }

        from.Target.Changed = Now;
        Touch(fromDirectory);
        Touch(toDirectory);
        return Unit.Value;
    }

    /// <summary>Lets an object go that has neither an entry nor an open handle.</summary>
    public void ForgetIfUnused(MemoryObject target)
    {
        if (target.LinkCount == 0 && target.OpenCount == 0)
        {
            _objects.Remove(target.Inode.Value);
        }
    }

    private static Result<Unit, VolumeError> CheckRename(
        MemoryEntry from, MemoryEntry? to, MemoryObject fromDirectory, MemoryObject toDirectory, RenameMode mode)
    {
        if (mode == RenameMode.NoReplace && to is not null)
        {
            return VolumeError.AlreadyExists;
        }

        if (mode == RenameMode.Exchange && to is null)
        {
            return VolumeError.NotFound;
        }

        if (IsAtOrBelow(toDirectory, from.Target)
            || (mode == RenameMode.Exchange && IsAtOrBelow(fromDirectory, to!.Target)))
        {
            return VolumeError.WouldLoop;
        }

        bool isDirectory = from.Target.Entries is not null;
        if (mode != RenameMode.Replace || to is null)
        {
            return Unit.Value;
        }

        return (to.Target.Entries is not null, isDirectory) switch
        {
            (true, false) => VolumeError.IsADirectory,
            (false, true) => VolumeError.NotADirectory,
            _ => to.Target.Entries is { Count: > 0 } && !ReferenceEquals(to.Target, from.Target)
                ? VolumeError.NotEmpty : Unit.Value,
        };
    }

    private static Result<Unit, VolumeError> CheckName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.ContainsAny(
            (byte)'/', (byte)0))
        {
            return VolumeError.InvalidName;
        }

        return name.Length > NameBytesMax ? VolumeError.NameTooLong : Unit.Value;
    }

    private static bool IsAtOrBelow(MemoryObject directory, MemoryObject candidate)
    {
        for (MemoryObject? at = directory; at is not null; at = at.Parent)
        {
            if (ReferenceEquals(at, candidate))
            {
                return true;
            }
        }

        return false;
    }

    private static void Reparent(MemoryObject moved, MemoryObject from, MemoryObject to)
    {
        if (moved.Entries is not null)
        {
            from.LinkCount--;
            to.LinkCount++;
            moved.Parent = to;
        }
    }

    private void LoseEntry(MemoryObject target, MemoryObject directory)
    {
        if (target.Entries is not null)
        {
            target.LinkCount = 0;
            directory.LinkCount--;
        }
        else
        {
            target.LinkCount--;
        }

        target.Changed = Now;
        ForgetIfUnused(target);
    }

    private void Touch(MemoryObject directory) => directory.Modified = directory.Changed = Now;

    private InodeNumber NextInode()
    {
        ulong value;
        do
        {
            value = _inodes.NextUInt64() & long.MaxValue;
        }
        while (value <= 1 || _objects.ContainsKey(value));

        return new InodeNumber(value);
    }
}

/// <summary>The permission bits that have a meaning of their own.</summary>
internal static class ModeBits
{
    /// <summary>07777.</summary>
    public const uint All = 0xFFF;

    /// <summary>02000.</summary>
    public const uint SetGroupId = 0x400;
}
