using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Applying;

namespace Cairn.Core.Tree;

/// <summary>
/// Turns what a caller wants into primitives, checked against the tree as it is now, by the rules of POSIX.
/// </summary>
/// <remarks>
/// The primitives of one intent are one transaction. An empty result is a success that changes nothing: make no
/// transaction.
/// Permissions are not checked here. Whoever removes, replaces or moves the holder of a name that has conflicts makes
/// the shown conflicts real entries in the same transaction, so that nothing else on the screen moves.
/// </remarks>
public sealed class TreeEdits
{
    /// <summary>An object has at most so many entries.</summary>
    public const int LinksMax = 1000;

    private readonly TreeQueries _queries;
    private readonly Solidifier _solid;

    /// <summary>Checks against <paramref name="queries"/>.</summary>
    /// <param name="fresh">Gives random ids; called only when a conflict becomes a file of its own.</param>
    public TreeEdits(TreeQueries queries, Func<Bytes16> fresh)
    {
        _queries = queries;
        _solid = new Solidifier(queries, fresh);
    }

    /// <summary>A new file, with content when <paramref name="content"/> is given.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> CreateFile(
        ObjectId parent, ReadOnlyMemory<byte> name, NewObject file, NewVersion? content = null)
    {
        if (Vacant(parent, name) is { } error)
        {
            return error;
        }

        CreateObject create = Create(file, TreeKind.File, 0, default);
        var place = new Place(parent, name, file.Id, null);
        return content is { } version
            ? [create, Written(file.Id, version, []), place]
            : (ImmutableArray<Primitive>)[create, place];
    }

    /// <summary>A new directory.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> MakeDirectory(
        ObjectId parent, ReadOnlyMemory<byte> name, NewObject directory) =>
        Make(parent, name, directory, TreeKind.Directory, 0, default);

    /// <summary>A new pipe, socket name, device node or empty file.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> MakeNode(
        ObjectId parent, ReadOnlyMemory<byte> name, TreeKind kind, uint device, NewObject node)
    {
        bool isDevice = kind is TreeKind.CharacterDevice or TreeKind.BlockDevice;
        return kind is TreeKind.Directory or TreeKind.SymbolicLink
            ? TreeError.InvalidArgument
            : Make(parent, name, node, kind, isDevice ? device : 0, default);
    }

    /// <summary>A new symbolic link; its target is 1 to 4,095 bytes.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> Symlink(
        ObjectId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target, NewObject link)
    {
        if (target.Length is 0 or > 4095)
        {
            return target.IsEmpty ? TreeError.NotFound : TreeError.NameTooLong;
        }

        return Make(parent, name, link with { Mode = 0x1FF }, TreeKind.SymbolicLink, 0, target);
    }

    /// <summary>One more entry for an object that is not a directory.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> Link(ObjectId id, ObjectId parent, ReadOnlyMemory<byte> name)
    {
        if (_queries.Get(id) is not { IsDetached: false } view)
        {
            return TreeError.NotFound;
        }

        if (view.Kind == TreeKind.Directory || view.IsBranch)
        {
            return TreeError.NotPermitted;
        }

        if (view.LinkCount >= LinksMax)
        {
            return TreeError.TooManyLinks;
        }

        return Vacant(parent, name) is { } error
            ? error
            : (ImmutableArray<Primitive>)[new Place(parent, name, view.Id, null)];
    }

    /// <summary>Removes an entry that is not a directory, or gives up a conflict.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> Unlink(ObjectId parent, ReadOnlyMemory<byte> name)
    {
        if (Find(parent, name) is not { } entry)
        {
            return Absent(parent, name);
        }

        if (entry.Kind == TreeKind.Directory)
        {
            return TreeError.IsADirectory;
        }

        _solid.Begin();
        var primitives = ImmutableArray.CreateBuilder<Primitive>(1);
        _solid.Remove(parent, entry, primitives);
        return primitives.DrainToImmutable();
    }

    /// <summary>Removes an empty directory.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> RemoveDirectory(ObjectId parent, ReadOnlyMemory<byte> name)
    {
        if (Find(parent, name) is not { } entry)
        {
            return Absent(parent, name);
        }

        if (entry.Kind != TreeKind.Directory)
        {
            return TreeError.NotADirectory;
        }

        if (!_queries.IsEmpty(entry.Object))
        {
            return TreeError.NotEmpty;
        }

        _solid.Begin();
        var primitives = ImmutableArray.CreateBuilder<Primitive>(1);
        _solid.Remove(parent, entry, primitives);
        return primitives.DrainToImmutable();
    }

    /// <summary>Moves an entry, replacing what is there, or not, or exchanging the two.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> Rename(
        ObjectId fromParent, ReadOnlyMemory<byte> fromName, ObjectId toParent, ReadOnlyMemory<byte> toName,
        TreeRenameMode mode)
    {
        if (Find(fromParent, fromName) is not { } source)
        {
            return Absent(fromParent, fromName);
        }

        EntryView? target = Find(toParent, toName);
        if (Check(fromParent, source, toParent, toName, target, mode) is { } error)
        {
            return error;
        }

        if (target is { } same && same.Object == source.Object)
        {
            return ImmutableArray<Primitive>.Empty;
        }

        _solid.Begin();
        var primitives = ImmutableArray.CreateBuilder<Primitive>(1);
        if (mode == TreeRenameMode.Exchange)
        {
            (ObjectId first, ReadOnlyMemory<byte> firstName) = _solid.MakeReal(fromParent, source, primitives);
            (ObjectId second, ReadOnlyMemory<byte> secondName) = _solid.MakeReal(toParent, target!.Value, primitives);
            primitives.Add(new Exchange(first, fromParent, firstName, second, toParent, secondName));
            return primitives.DrainToImmutable();
        }

        Predecessor? replaced = target is { } gone ? _solid.Replace(toParent, gone, primitives) : null;
        (ObjectId moved, ReadOnlyMemory<byte> name) = _solid.MakeReal(fromParent, source, primitives);
        primitives.Add(new Move(moved, fromParent, name, toParent, toName, replaced));
        return primitives.DrainToImmutable();
    }

    /// <summary>A new version of a file (or of a conflicting head), made from the heads its writer had open.</summary>
    /// <returns>NotFound when the file has no entry any more: there is nothing to publish to.</returns>
    public Result<ImmutableArray<Primitive>, TreeError> WriteVersion(
        ObjectId id, ImmutableArray<VersionId> baseHeads, NewVersion version)
    {
        if (_queries.Get(id) is not { IsDetached: false } view)
        {
            return TreeError.NotFound;
        }

        if (view.Kind != TreeKind.File)
        {
            return view.Kind == TreeKind.Directory ? TreeError.IsADirectory : TreeError.InvalidArgument;
        }

        bool impossible = version.SizeBytes < 0 || version.DataBytes < 0 || version.DataBytes > version.SizeBytes
            || version.Manifest.Length > Transaction.ManifestBytesMax || version.Version == default;
        return impossible
            ? TreeError.InvalidArgument
            : (ImmutableArray<Primitive>)[Written(view.Owner, version, baseHeads)];
    }

    /// <summary>A new version of a file that need not have an entry: its making may have been refused, or others removed it.</summary>
    public static ImmutableArray<Primitive> Unchecked(
        ObjectId file, ImmutableArray<VersionId> baseHeads, NewVersion version) => [Written(file, version, baseHeads)];

    /// <summary>Changes attributes; null leaves one as it is.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> SetAttributes(
        ObjectId id, uint? mode, uint? userId, uint? groupId, WallTime? modified)
    {
        if (_queries.Get(id) is not { } view)
        {
            return TreeError.NotFound;
        }

        if (mode is null && userId is null && groupId is null && modified is null)
        {
            return ImmutableArray<Primitive>.Empty;
        }

        VersionId head = modified is not null && view.IsBranch ? view.Head!.Version : default;
        var set = new SetAttributes(view.Owner, head, mode & 0xFFF, userId, groupId, modified);
        return (ImmutableArray<Primitive>)[set];
    }

    /// <summary>Sets an extended attribute.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> SetExtendedAttribute(
        ObjectId id, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, AttributeMode mode)
    {
        if (_queries.Get(id) is not { } view)
        {
            return TreeError.NotFound;
        }

        if (name.Length is 0 or > Transaction.NameBytesMax || value.Length > 64 * 1024 || name.Span.Contains((byte)0))
        {
            return TreeError.InvalidArgument;
        }

        bool exists = _queries.ExtendedAttribute(id, name.Span) is not null;
        if (mode == AttributeMode.Create && exists)
        {
            return TreeError.AlreadyExists;
        }

        return mode == AttributeMode.Replace && !exists
            ? TreeError.NoAttribute
            : (ImmutableArray<Primitive>)[new SetExtendedAttribute(view.Owner, name, value)];
    }

    /// <summary>Removes an extended attribute.</summary>
    public Result<ImmutableArray<Primitive>, TreeError> RemoveExtendedAttribute(ObjectId id, ReadOnlyMemory<byte> name)
    {
        if (_queries.Get(id) is not { } view)
        {
            return TreeError.NotFound;
        }

        return _queries.ExtendedAttribute(id, name.Span) is null
            ? TreeError.NoAttribute
            : (ImmutableArray<Primitive>)[new SetExtendedAttribute(view.Owner, name, null)];
    }

    private Result<ImmutableArray<Primitive>, TreeError> Make(
        ObjectId parent, ReadOnlyMemory<byte> name, NewObject made, TreeKind kind, uint device,
        ReadOnlyMemory<byte> target) =>
        Vacant(parent, name) is { } error
            ? error
            : (ImmutableArray<Primitive>)[Create(made, kind, device, target), new Place(parent, name, made.Id, null)];

    private static CreateObject Create(NewObject made, TreeKind kind, uint device, ReadOnlyMemory<byte> target) =>
        new(made.Id, kind, made.Mode & 0xFFF, made.UserId, made.GroupId, device, made.Now, target);

    private static WriteVersion Written(ObjectId id, NewVersion version, ImmutableArray<VersionId> parents) =>
        new(id, version.Version, parents, version.SizeBytes, version.DataBytes, version.Modified, version.Manifest);

    private EntryView? Find(ObjectId parent, ReadOnlyMemory<byte> name) =>
        EntryName.IsValid(name.Span) ? _queries.Lookup(parent, name) : null;

    /// <summary>Why a name in a directory is not free, or null if it is.</summary>
    private TreeError? Vacant(ObjectId parent, ReadOnlyMemory<byte> name)
    {
        if (Find(parent, name) is not null)
        {
            return TreeError.AlreadyExists;
        }

        TreeError absent = Absent(parent, name);
        if (absent != TreeError.NotFound || parent == default)
        {
            return absent == TreeError.NotFound ? null : absent;
        }

        return _queries.IsLiveDirectory(parent) ? null : TreeError.NotFound;
    }

    /// <summary>Why a name was not found.</summary>
    private TreeError Absent(ObjectId parent, ReadOnlyMemory<byte> name)
    {
        if (name.Length > Transaction.NameBytesMax)
        {
            return TreeError.NameTooLong;
        }

        if (!EntryName.IsValid(name.Span))
        {
            return TreeError.InvalidName;
        }

        return _queries.CanonicalDirectory(parent) is null && _queries.Get(parent) is not null
            ? TreeError.NotADirectory
            : TreeError.NotFound;
    }

    private TreeError? Check(
        ObjectId fromParent, EntryView source, ObjectId toParent, ReadOnlyMemory<byte> toName, EntryView? target,
        TreeRenameMode mode)
    {
        if (target is null)
        {
            TreeError? vacant = Vacant(toParent, toName);
            if (vacant is not null || mode == TreeRenameMode.Exchange)
            {
                return vacant ?? TreeError.NotFound;
            }
        }
        else if (mode == TreeRenameMode.NoReplace)
        {
            return TreeError.AlreadyExists;
        }

        if (source.Kind == TreeKind.Directory && _queries.IsBelow(toParent, source.Object))
        {
            return TreeError.WouldLoop;
        }

        if (target is not { } there || there.Object == source.Object)
        {
            return null;
        }

        if (mode == TreeRenameMode.Exchange)
        {
            bool loops = there.Kind == TreeKind.Directory && _queries.IsBelow(fromParent, there.Object);
            return loops ? TreeError.WouldLoop : null;
        }

        if (there.Kind == TreeKind.Directory)
        {
            return source.Kind != TreeKind.Directory ? TreeError.IsADirectory
                : _queries.IsEmpty(there.Object) ? null : TreeError.NotEmpty;
        }

        return source.Kind == TreeKind.Directory ? TreeError.NotADirectory : null;
    }
}
