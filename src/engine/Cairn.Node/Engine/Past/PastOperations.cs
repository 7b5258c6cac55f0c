using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Records;
using Cairn.Node.Engine.Requests;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Past;

/// <summary>Reads past states through numbers, as doors read the present: they are never written.</summary>
internal sealed class PastOperations
{
    private const int RememberedMax = 1 << 17;
    private const uint WriteBits = 0x92;

    private readonly VolumeState _state;
    private readonly PastViews _views;
    private readonly Dictionary<ulong, (PastView View, ObjectId Id)> _known = [];
    private List<string> _told = [];

    public PastOperations(VolumeState state, PastViews views)
    {
        (_state, _views) = (state, views);
        views.Forgotten += OnForgotten;
        state.Parts.Log.Changed += OnChanged;
        state.Parts.Log.Written += OnWritten;
    }

    /// <summary>The number of the folder that lists the snapshots.</summary>
    public static InodeNumber Folder { get; } = new(0x2E73_6E61_7073_686F);

    /// <summary>The folder that a past state covers; its number is known from then on.</summary>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> Enter(string name)
    {
        Result<PastView, VolumeError> found = await _views.Find(new PastState(name), CancellationToken.None);
        if (!found.TryGet(out PastView? view, out VolumeError error))
        {
            return error;
        }

        lock (_state.Gate)
        {
            return view.Queries.Get(view.Top) is { IsDetached: false } top
                ? Describe(view, top)
                : VolumeError.NotFound;
        }
    }

    /// <summary>The names of all snapshots with their folders' attributes.</summary>
    public IReadOnlyList<(string Name, ObjectAttributes Attributes)> Snapshots()
    {
        lock (_state.Gate)
        {
            var all = new List<(string Name, ObjectAttributes Attributes)>();
            foreach ((string name, SnapshotRecord snapshot) in _views.Named())
            {
                PastView view = _views.Of(snapshot);
                if (view.Queries.Get(view.Top) is { } top)
                {
                    all.Add((name, Describe(view, top)));
                }
            }

            return all;
        }
    }

    /// <summary>Whether a number is one of the past.</summary>
    public bool Knows(InodeNumber inode)
    {
        lock (_state.Gate)
        {
            return _known.ContainsKey(inode.Value)
                || (_state.Inodes.ObjectOf(inode) is null && Find(inode) is not null);
        }
    }

    public Result<ObjectAttributes, VolumeError> Lookup(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        lock (_state.Gate)
        {
            if (!Directory(parent).TryGet(out (PastView View, ObjectId Id) at, out VolumeError error))
            {
                return error;
            }

            return at.View.Queries.Lookup(at.Id, name) is { } entry
                && at.View.Queries.Get(entry.Object) is { } view
                ? Describe(at.View, view)
                : VolumeError.NotFound;
        }
    }

    public Result<ObjectAttributes, VolumeError> Get(InodeNumber inode)
    {
        lock (_state.Gate)
        {
            return Find(inode) is { } at && at.View.Queries.Get(at.Id) is { } view
                ? Describe(at.View, view)
                : VolumeError.NotFound;
        }
    }

    public Result<IReadOnlyList<DirectoryEntry>, VolumeError> List(InodeNumber directory, ulong cookie, int countMax)
    {
        lock (_state.Gate)
        {
            if (!Directory(directory).TryGet(out (PastView View, ObjectId Id) at, out VolumeError error))
            {
                return error;
            }

            DirectoryListings.Listing listing = at.View.Listings.Get(at.Id, starts: cookie == 0);
            List<DirectoryEntry> entries = [];
            for (int i = listing.After(cookie); i < listing.Names.Length && entries.Count < countMax; i++)
            {
                if (at.View.Queries.Lookup(at.Id, listing.Names[i]) is { } entry
                    && at.View.Queries.Get(entry.Object) is { } view)
                {
                    entries.Add(new DirectoryEntry(listing.Names[i], Describe(at.View, view), listing.Cookies[i]));
                }
            }

            return entries;
        }
    }

    /// <summary>Opens a file for reading; the handle is the volume's, read and released like any other.</summary>
    public Result<OpenedFile, VolumeError> Open(InodeNumber inode, OpenIntent intent)
    {
        lock (_state.Gate)
        {
            if (Find(inode) is not { } at || at.View.Queries.Get(at.Id) is not { } view)
            {
                return VolumeError.NotFound;
            }

            if (view.Kind != TreeKind.File)
            {
                return view.Kind == TreeKind.Directory
                    ? VolumeError.IsADirectory
                    : VolumeError.InvalidArgument;
            }

            if ((intent & (OpenIntent.Write | OpenIntent.Truncate)) != 0)
            {
                return VolumeError.ReadOnly;
            }

            OpenObject target = _state.OpenPast(inode, view.Head);
            Result<OpenHandle, VolumeError> handle = _state.AddHandle(target, OpenIntent.Read);
            _state.CloseIfIdle(target);
            return handle.IsOk
                ? new OpenedFile(handle.Value, Describe(at.View, view), view.Head?.Version ?? default)
                : handle.Error;
        }
    }

    public Result<ReadOnlyMemory<byte>, VolumeError> ReadSymbolicLink(InodeNumber inode)
    {
        lock (_state.Gate)
        {
            return Find(inode) is not { } at || at.View.Queries.Get(at.Id) is not { } view ? VolumeError.NotFound
                : view.Kind == TreeKind.SymbolicLink ? view.LinkTarget
                : VolumeError.InvalidArgument;
        }
    }

    public Result<ReadOnlyMemory<byte>, VolumeError> GetExtended(InodeNumber inode, ReadOnlyMemory<byte> name)
    {
        lock (_state.Gate)
        {
            return Find(inode) is not { } at ? VolumeError.NotFound
                : at.View.Queries.ExtendedAttribute(at.Id, name.Span) is { } value ? value
                : VolumeError.NoAttribute;
        }
    }

    public Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError> ListExtended(InodeNumber inode)
    {
        lock (_state.Gate)
        {
            return Find(inode) is { } at
                ? Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>.Ok(
                    at.View.Queries.ExtendedAttributes(at.Id))
                : VolumeError.NotFound;
        }
    }

    private Result<(PastView View, ObjectId Id), VolumeError> Directory(InodeNumber inode) =>
        Find(inode) is not { } at || at.View.Queries.Get(at.Id) is not { } view ? VolumeError.NotFound
        : view.Kind == TreeKind.Directory ? at
        : VolumeError.NotADirectory;

    /// <summary>What a number stands for. One from before a restart is found by looking into every snapshot.</summary>
    private (PastView View, ObjectId Id)? Find(InodeNumber inode)
    {
        // The top bit is that of local files.
        if (inode.Value > long.MaxValue)
        {
            return null;
        }

        if (_known.TryGetValue(inode.Value, out (PastView View, ObjectId Id) known))
        {
            return known;
        }

        foreach (PastView view in _views.Known())
        {
            if (view.ObjectOf(inode) is { } id)
            {
                Remember(inode, view, id);
                return (view, id);
            }
        }

        return null;
    }

    private void OnChanged(IReadOnlyList<byte[]> keys)
    {
        if (keys.Any(static key => key.Length > 0 && key[0] == TreeKeys.Mark))
        {
            TellNames();
        }
    }

    private void OnWritten(ImmutableArray<Primitive> primitives)
    {
        if (primitives.Any(static primitive => primitive is Snapshot))
        {
            TellNames();
        }
    }

    /// <summary>Doors remember also that a name was not there.</summary>
    private void TellNames()
    {
        List<string> names = [.. _views.Named().Select(one => one.Name)];
        foreach (string name in names.Except(_told).Concat(_told.Except(names)))
        {
            _state.TellEntry(Folder, NameText.ToBytes(name));
        }

        _told = names;
    }

    private void OnForgotten(PastView gone)
    {
        foreach (ulong number in _known.Where(known => known.Value.View == gone).Select(known => known.Key).ToList())
        {
            _known.Remove(number);
        }
    }

    private void Remember(InodeNumber inode, PastView view, ObjectId id)
    {
        if (_known.Count >= RememberedMax)
        {
            _known.Clear();
        }

        _known[inode.Value] = (view, id);
    }

    /// <summary>What stat shows; nobody may write, so no write bits are shown.</summary>
    private ObjectAttributes Describe(PastView past, ObjectView view)
    {
        InodeNumber inode = past.NumberOf(view.Id);
        Remember(inode, past, view.Id);
        (WallTime modified, WallTime changed) = _state.TimesOf(view);
        return new ObjectAttributes
        {
            Inode = inode,
            Kind = (ObjectKind)view.Kind,
            Mode = view.Kind == TreeKind.SymbolicLink ? view.Mode : view.Mode & ~WriteBits,
            UserId = view.UserId,
            GroupId = view.GroupId,
            LinkCount = view.LinkCount,
            SizeBytes = view.SizeBytes,
            DataBytes = view.DataBytes,
            Device = view.Device,
            Accessed = modified,
            Modified = modified,
            Changed = changed,
        };
    }
}
