using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;

namespace Cairn.Node.Engine.Requests;

/// <summary>Entries: looking up, listing, making, removing, moving. Each change is one transaction.</summary>
internal sealed class NamespaceOperations(
    VolumeState state, Action<OpenObject> dropIfGone, Action<ObjectView> bringNear)
{
    private const int FolderDepthMax = 4096;

    public Result<ObjectAttributes, VolumeError> Lookup(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        lock (state.Gate)
        {
            if (!state.Directory(parent).TryGet(out ObjectId directory, out VolumeError error))
            {
                return error;
            }

            if (name.Length > Transaction.NameBytesMax)
            {
                return VolumeError.NameTooLong;
            }

            return state.Queries.Lookup(directory, name) is { } entry && state.Queries.Get(entry.Object) is { } view
                ? state.Describe(view)
                : VolumeError.NotFound;
        }
    }

    public Result<IReadOnlyList<DirectoryEntry>, VolumeError> List(InodeNumber directory, ulong cookie, int countMax)
    {
        lock (state.Gate)
        {
            if (!state.Directory(directory).TryGet(out ObjectId id, out VolumeError error))
            {
                return error;
            }

            DirectoryListings.Listing listing = state.Listings.Get(id, starts: cookie == 0);
            List<DirectoryEntry> entries = [];
            for (int i = listing.After(cookie); i < listing.Names.Length && entries.Count < countMax; i++)
            {
                if (state.Queries.Lookup(id, listing.Names[i]) is { } entry
                    && state.Queries.Get(entry.Object) is { } view)
                {
                    entries.Add(new DirectoryEntry(listing.Names[i], state.Describe(view), listing.Cookies[i]));
                }
            }

            return entries;
        }
    }

    public Result<ObjectAttributes, VolumeError> MakeDirectory(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, Caller caller) => Make(
            parent, name, (directory, made) => state.Edits.MakeDirectory(directory, name, made), mode, caller,
            isDirectory: true);

    public Result<ObjectAttributes, VolumeError> MakeNode(
        InodeNumber parent, ReadOnlyMemory<byte> name, ObjectKind kind, uint mode, uint device, Caller caller) => Make(
            parent, name, (directory, made) => state.Edits.MakeNode(directory, name, (TreeKind)kind, device, made), mode,
            caller);

    public Result<ObjectAttributes, VolumeError> MakeSymbolicLink(
        InodeNumber parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, Caller caller) => Make(
            parent, name, (directory, made) => state.Edits.Symlink(directory, name, target.ToArray(), made), 0x1FF,
            caller);

    public Result<ObjectAttributes, VolumeError> Link(InodeNumber inode, InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        lock (state.Gate)
        {
            if (!state.View(inode).TryGet(out ObjectView? view, out VolumeError error)
                || !state.Directory(parent).TryGet(out ObjectId directory, out error))
            {
                return error;
            }

            name = name.ToArray();
            if (state.Commit(state.Edits.Link(view.Id, directory, name)) is { } failed)
            {
                return failed;
            }

            state.TellEntry(parent, name);
            return state.Describe(state.Queries.Get(view.Id)!);
        }
    }

    public Result<Unit, VolumeError> Unlink(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        Remove(parent, name, (directory, entry) => state.Edits.Unlink(directory, entry));

    public Result<Unit, VolumeError> RemoveDirectory(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        Remove(parent, name, (directory, entry) => state.Edits.RemoveDirectory(directory, entry));

    public Result<Unit, VolumeError> Rename(
        InodeNumber fromParent, ReadOnlyMemory<byte> fromName, InodeNumber toParent, ReadOnlyMemory<byte> toName,
        RenameMode mode)
    {
        lock (state.Gate)
        {
            if (!state.Directory(fromParent).TryGet(out ObjectId from, out VolumeError error)
                || !state.Directory(toParent).TryGet(out ObjectId to, out error))
            {
                return error;
            }

            EntryView? replaced = mode == RenameMode.Replace ? state.Queries.Lookup(to, toName) : null;
            Result<ImmutableArray<Primitive>, TreeError> moved =
                state.Edits.Rename(from, fromName.ToArray(), to, toName.ToArray(), (TreeRenameMode)mode);
            if (state.Commit(moved) is { } failed)
            {
                return failed;
            }

            state.TellEntry(fromParent, fromName);
            state.TellEntry(toParent, toName);
            if (replaced is { } gone)
            {
                AfterRemoval(gone.Object);
            }

            if (NearContent.IsMeant(toName.Span) && state.Queries.Lookup(to, toName) is { } entry
                && state.Queries.Get(entry.Object) is { } view)
            {
                bringNear(view);
            }

            return Unit.Value;
        }
    }

    public Result<ReadOnlyMemory<byte>, VolumeError> ReadSymbolicLink(InodeNumber inode)
    {
        lock (state.Gate)
        {
            if (!state.View(inode).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            return view.Kind == TreeKind.SymbolicLink ? view.LinkTarget : VolumeError.InvalidArgument;
        }
    }

    /// <summary>The folders from the root down to one, both among them; only that one if it has no entry.</summary>
    public IReadOnlyList<FolderOnPath> PathOf(InodeNumber folder)
    {
        var path = new List<FolderOnPath>();
        lock (state.Gate)
        {
            ObjectId? at = state.Inodes.ObjectOf(folder);
            while (at is { } id && id != TreeQueries.Root && path.Count < FolderDepthMax)
            {
                IReadOnlyList<(ObjectId Parent, ReadOnlyMemory<byte> Name)> parents = state.Queries.Parents(id);
                path.Add(new FolderOnPath(state.Inodes.NumberOf(id), parents.Count > 0 ? parents[0].Name : default));
                at = parents.Count > 0 ? parents[0].Parent : null;
            }

            if (at == TreeQueries.Root)
            {
                path.Add(new FolderOnPath(InodeNumber.Root, default));
            }
        }

        path.Reverse();
        return path;
    }

    private Result<ObjectAttributes, VolumeError> Make(
        InodeNumber parent,
        ReadOnlyMemory<byte> name,
        Func<ObjectId, NewObject, Result<ImmutableArray<Primitive>, TreeError>> edit,
        uint mode,
        Caller caller,
        bool isDirectory = false)
    {
        lock (state.Gate)
        {
            if (!state.Directory(parent).TryGet(out ObjectId directory, out VolumeError error))
            {
                return error;
            }

            NewObject made = state.NewIn(directory, mode, caller, isDirectory);
            if (state.Commit(edit(directory, made)) is { } failed)
            {
                return failed;
            }

            state.TellEntry(parent, name);
            return state.Describe(state.Queries.Get(made.Id)!);
        }
    }

    private Result<Unit, VolumeError> Remove(
        InodeNumber parent,
        ReadOnlyMemory<byte> name,
        Func<ObjectId, ReadOnlyMemory<byte>, Result<ImmutableArray<Primitive>, TreeError>> edit)
    {
        lock (state.Gate)
        {
            if (!state.Directory(parent).TryGet(out ObjectId directory, out VolumeError error))
            {
                return error;
            }

            EntryView? removed = state.Queries.Lookup(directory, name);
            if (state.Commit(edit(directory, name.ToArray())) is { } failed)
            {
                return failed;
            }

            state.TellEntry(parent, name);
            if (removed is { } entry)
            {
                AfterRemoval(entry.Object);
            }

            return Unit.Value;
        }
    }

    /// <summary>A file whose last entry went has no version to publish once nobody has it open.</summary>
    private void AfterRemoval(ObjectId id)
    {
        if (state.FindOpen(id) is { } open)
        {
            dropIfGone(open);
        }

        if (state.Queries.Get(id) is { } view)
        {
            state.TellObject(state.Inodes.NumberOf(view.Id), contentChanged: false);
        }
    }
}
