using System.Globalization;
using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Engine;
using Cairn.Node.Volumes;

namespace Cairn.Node.LocalFiles;

/// <content>Where a name is or goes: making, removing and moving.</content>
public sealed partial class LocalFilesVolume
{
    private readonly List<Subscription> _subscriptions = [];

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> MakeDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, Caller caller)
    {
        InodeNumber place = await PlaceOf(parent, name, isFolder: true);
        return Marked(await Engine(place).MakeDirectory(Plain(place), name, mode, caller), place);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> MakeNode(
        InodeNumber parent, ReadOnlyMemory<byte> name, ObjectKind kind, uint mode, uint device, Caller caller)
    {
        InodeNumber place = await PlaceOf(parent, name, isFolder: false);
        return Marked(await Engine(place).MakeNode(Plain(place), name, kind, mode, device, caller), place);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> MakeSymbolicLink(
        InodeNumber parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Caller caller)
    {
        InodeNumber place = await PlaceOf(parent, name, isFolder: false);
        return Marked(await Engine(place).MakeSymbolicLink(Plain(place), name, target, caller), place);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> Link(
        InodeNumber inode, InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller)
    {
        InodeNumber place = await PlaceOf(parent, name, isFolder: false);
        return IsLocal(place) == IsLocal(At(inode))
            ? Marked(await Engine(place).Link(Plain(inode), Plain(place), name, caller), place)
            : VolumeError.CrossesVolumes;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, VolumeError>> Unlink(
        InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller)
    {
        InodeNumber place = await HolderOf(parent, name) ?? parent;
        return await Engine(place).Unlink(Plain(place), name, caller);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, VolumeError>> RemoveDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, Caller caller)
    {
        InodeNumber place = await HolderOf(parent, name) ?? parent;
        if (IsLocal(place))
        {
            return await Engine(place).RemoveDirectory(Plain(place), name, caller);
        }

        // A shared folder is empty only if nothing local is in it.
        Result<ObjectAttributes, VolumeError> found = await _shared.Lookup(place, name);
        if (found.IsOk && await FolderOf(found.Value.Inode) is { } folder)
        {
            Result<IReadOnlyList<DirectoryEntry>, VolumeError> inside =
                await Engine(folder).ReadDirectory(Plain(folder), 0, 1);
            if (inside.IsOk && inside.Value.Count > 0)
            {
                return VolumeError.NotEmpty;
            }

            await Engine(folder).RemoveDirectory(InodeNumber.Root, FolderName(found.Value.Inode), caller);
        }

        return await _shared.RemoveDirectory(place, name, caller);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, VolumeError>> Rename(
        InodeNumber fromParent, ReadOnlyMemory<byte> fromName, InodeNumber toParent, ReadOnlyMemory<byte> toName,
        RenameMode mode, Caller caller)
    {
        Result<ObjectAttributes, VolumeError> moved = await Lookup(fromParent, fromName);
        if (!moved.TryGet(out ObjectAttributes source, out VolumeError error))
        {
            return error;
        }

        InodeNumber from = await HolderOf(fromParent, fromName) ?? fromParent;
        InodeNumber to = await PlaceOf(toParent, toName, source.Kind == ObjectKind.Directory, staysLocal: false);
        if (IsLocal(from) == IsLocal(to))
        {
            return IsLocal(to)
                ? await Engine(from).Rename(Plain(from), fromName, Plain(to), toName, mode, caller)
                : await RenameShared(from, fromName, to, toName, mode, caller);
        }

        bool isTaken = mode == RenameMode.NoReplace && (await Lookup(toParent, toName)).IsOk;
        if (isTaken || mode == RenameMode.Exchange || source.Kind != ObjectKind.File || source.LinkCount > 1)
        {
            // A file with more names would have to be two: whoever asks (`mv`) copies it, and its number stays the others'.
            return isTaken ? VolumeError.AlreadyExists : VolumeError.CrossesVolumes;
        }

        return await Carry(source, from, fromName, to, toParent, toName, caller);
    }

    /// <summary>
    /// A shared name moves. A local file of the new name, whose pattern went, is what is replaced: it would come to light again
    /// when the shared one goes.
    /// </summary>
    private async ValueTask<Result<Unit, VolumeError>> RenameShared(
        InodeNumber from, ReadOnlyMemory<byte> fromName, InodeNumber to, ReadOnlyMemory<byte> toName, RenameMode mode,
        Caller caller)
    {
        InodeNumber? folder = await FolderOf(to);
        ObjectAttributes? local = folder is { } there
            && (await Engine(there).Lookup(Plain(there), toName)).TryGet(out ObjectAttributes found, out _)
            && !(await _shared.Lookup(to, toName)).IsOk ? found : null;
        if (local is { } taken && (mode != RenameMode.Replace || taken.Kind == ObjectKind.Directory))
        {
            return mode == RenameMode.NoReplace ? VolumeError.AlreadyExists : VolumeError.CrossesVolumes;
        }

        Result<Unit, VolumeError> moved = await _shared.Rename(from, fromName, to, toName, mode, caller);
        if (moved.IsOk && local is not null && folder is { } emptied)
        {
            _ = await Engine(emptied).Unlink(Plain(emptied), toName, caller);
        }

        return moved;
    }

    private static ReadOnlyMemory<byte> FolderName(InodeNumber shared) =>
        Encoding.ASCII.GetBytes(shared.Value.ToString("x16", CultureInfo.InvariantCulture));

    /// <summary>
    /// A file crosses over: its bytes are copied beside the target and renamed onto it, then the old name goes. A crash in
    /// between leaves both names, never neither.
    /// </summary>
    private async ValueTask<Result<Unit, VolumeError>> Carry(
        ObjectAttributes source, InodeNumber from, ReadOnlyMemory<byte> fromName, InodeNumber to, InodeNumber toParent,
        ReadOnlyMemory<byte> toName, Caller caller)
    {
        ReadOnlyMemory<byte> beside = Encoding.ASCII.GetBytes($".cairn-moving-{source.Inode.Value:x16}");
        Result<Unit, VolumeError> copied = await Copy(source, to, beside, caller);
        if (copied.IsOk)
        {
            copied = await Engine(to).Rename(Plain(to), beside, Plain(to), toName, RenameMode.Replace, caller);
        }

        if (!copied.IsOk)
        {
            _ = await Engine(to).Unlink(Plain(to), beside, caller);
            return copied;
        }

        Result<ObjectAttributes, VolumeError> arrived = Marked(await Engine(to).Lookup(Plain(to), toName), to);
        if (arrived.IsOk)
        {
            NoteCarried(source.Inode, arrived.Value.Inode);
        }

        // A local file of the new name would come to light again when the shared one goes.
        if (!IsLocal(to) && await FolderOf(toParent) is { } folder)
        {
            _ = await Engine(folder).Unlink(Plain(folder), toName, caller);
        }

        return await Engine(from).Unlink(Plain(from), fromName, caller);
    }

    private async ValueTask<Result<Unit, VolumeError>> Copy(
        ObjectAttributes source, InodeNumber to, ReadOnlyMemory<byte> name, Caller caller)
    {
        Result<OpenedFile, VolumeError> opened = await Open(source.Inode, OpenIntent.Read, caller);
        if (!opened.TryGet(out OpenedFile reading, out VolumeError error))
        {
            return error;
        }

        Result<OpenedFile, VolumeError> made = Marked(
            await Engine(to).Create(
                Plain(to), name, source.Mode, OpenIntent.Write | OpenIntent.Truncate,
                caller with { UserId = source.UserId, GroupId = source.GroupId }),
            to);
        if (!made.TryGet(out OpenedFile writing, out error))
        {
            await Release(reading.Handle);
            return error;
        }

        Result<long, VolumeError> copied =
            await CopyRange(reading.Handle, 0, writing.Handle, 0, source.SizeBytes);
        await CopyExtendedAttributes(source.Inode, writing.Attributes.Inode, caller);
        AttributeChange times = new() { Modified = source.Modified };
        await SetAttributes(writing.Attributes.Inode, times, writing.Handle, caller);
        await Release(reading.Handle);
        await Release(writing.Handle);
        return !copied.TryGet(out long bytes, out error) ? error
            : bytes == source.SizeBytes ? Unit.Value
            : VolumeError.InputOutput;
    }

    private async ValueTask CopyExtendedAttributes(InodeNumber from, InodeNumber to, Caller caller)
    {
        Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError> names = await ListExtendedAttributes(from);
        foreach (ReadOnlyMemory<byte> name in names.IsOk ? names.Value : [])
        {
            Result<ReadOnlyMemory<byte>, VolumeError> value = await GetExtendedAttribute(from, name);
            if (value.IsOk)
            {
                await SetExtendedAttribute(to, name, value.Value, AttributeWriteMode.Any, caller);
            }
        }
    }

    /// <summary>The private folder of a shared one, if there is one.</summary>
    private async ValueTask<InodeNumber?> FolderOf(InodeNumber shared)
    {
        if (_private.Current is not { } local)
        {
            return null;
        }

        Result<ObjectAttributes, VolumeError> found = await local.Lookup(InodeNumber.Root, FolderName(shared));
        return found.IsOk ? Mark(found.Value.Inode) : null;
    }

    private async ValueTask<InodeNumber?> MakeFolder(InodeNumber shared)
    {
        if (await FolderOf(shared) is { } there)
        {
            return there;
        }

        if (_private.Open() is not { } local)
        {
            return null;
        }

        Result<ObjectAttributes, VolumeError> made =
            await local.MakeDirectory(InodeNumber.Root, FolderName(shared), 0x1C0, Caller.Daemon);
        return made.IsOk ? Mark(made.Value.Inode) : await FolderOf(shared);
    }

    /// <summary>The folder that has a name now, shared before local.</summary>
    private async ValueTask<InodeNumber?> HolderOf(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        if (IsLocal(parent) || (await _shared.Lookup(parent, name)).IsOk)
        {
            return parent;
        }

        return await FolderOf(parent) is { } folder && (await Engine(folder).Lookup(Plain(folder), name)).IsOk
            ? folder
            : null;
    }

    /// <summary>The folder for a name: the one that has it, else the one that the patterns say.</summary>
    /// <param name="staysLocal">Whether a local name keeps its place though no pattern fits it any more.</param>
    private async ValueTask<InodeNumber> PlaceOf(
        InodeNumber parent, ReadOnlyMemory<byte> name, bool isFolder, bool staysLocal = true)
    {
        InodeNumber? holder = await HolderOf(parent, name);
        if (holder is { } there && (staysLocal || !IsLocal(there) || IsLocal(parent)))
        {
            return there;
        }

        bool isIgnored = await _rules.IsIgnored(parent, name, isFolder);
        return isIgnored && await MakeFolder(parent) is { } folder ? folder : parent;
    }

    /// <summary>A watcher of both volumes: what is local is told by the numbers and folders that doors know.</summary>
    private sealed class Subscription : IDisposable, IVolumeWatcher
    {
        private readonly LocalFilesVolume _volume;
        private readonly IVolumeWatcher _watcher;
        private readonly IDisposable _shared;
        private IDisposable? _local;

        public Subscription(LocalFilesVolume volume, IVolumeWatcher watcher)
        {
            _volume = volume;
            _watcher = watcher;
            _shared = volume._shared.Watch(watcher);
            lock (volume._subscriptions)
            {
                volume._subscriptions.Add(this);
                if (volume._private.Current is { } open)
                {
                    Follow(open);
                }
            }
        }

        public void Follow(VolumeEngine local) => _local ??= local.Watch(this);

        public void ObjectChanged(InodeNumber inode, bool contentChanged, long? grownFrom = null) =>
            _watcher.ObjectChanged(Mark(inode), contentChanged, grownFrom);

        public void NamesChanged() => _watcher.NamesChanged();

        public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name)
        {
            if (parent == InodeNumber.Root)
            {
                // A folder for a shared one came or went; nobody sees it.
                return;
            }

            _watcher.EntryChanged(_volume.SharedFolderOf(parent) ?? Mark(parent), name);
        }

        public void Dispose()
        {
            lock (_volume._subscriptions)
            {
                _volume._subscriptions.Remove(this);
            }

            _shared.Dispose();
            _local?.Dispose();
        }
    }

    /// <summary>The shared folder that a private one stands for; null for a folder that is local itself.</summary>
    private InodeNumber? SharedFolderOf(InodeNumber folder)
    {
        IReadOnlyList<FolderOnPath> path = _private.Current?.PathOf(folder) ?? [];
        return path.Count == 2 && ulong.TryParse(
            path[1].Name.Span, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong number)
            ? new InodeNumber(number)
            : null;
    }
}
