using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree;

/// <summary>A version of a file.</summary>
public sealed class HeadView
{
    private readonly HeadRecord _record;

    internal HeadView(HeadRecord record) => _record = record;

    /// <summary>Which version.</summary>
    public VersionId Version => _record.Version;

    /// <summary>Versions of other writers that had the same content.</summary>
    public ImmutableArray<VersionId> Twins => ImmutableCollectionsMarshal.AsImmutableArray(_record.Twins);

    /// <summary>What it was made from.</summary>
    public ImmutableArray<VersionId> Parents => ImmutableCollectionsMarshal.AsImmutableArray(_record.Parents);

    /// <summary>Length of the file.</summary>
    public long SizeBytes => _record.SizeBytes;

    /// <summary>Bytes that are not holes.</summary>
    public long DataBytes => _record.DataBytes;

    /// <summary>Claimed time of the last write.</summary>
    public WallTime Modified => _record.Modified;

    /// <summary>Claimed time of publishing.</summary>
    public WallTime Written => _record.Written;

    /// <summary>Who wrote it.</summary>
    public NodeId Author => _record.Author;

    /// <summary>The encoded ManifestRoot.</summary>
    public ReadOnlyMemory<byte> Manifest => _record.Manifest;

    /// <summary>The id under which it is shown when it does not hold the name, else zeros.</summary>
    public ObjectId Branch => _record.Branch;

    /// <summary>Whether naming <paramref name="version"/> is naming this head.</summary>
    public bool Is(VersionId version) => _record.Is(version);
}

/// <summary>An object as it is shown. A snapshot: later transactions do not change it.</summary>
public sealed class ObjectView
{
    private readonly ObjectRecord _record;
    private readonly int _head;
    private ImmutableArray<HeadView> _heads;

    internal ObjectView(ObjectId id, ObjectRecord record, int head)
    {
        Id = id;
        _record = record;
        _head = head;
    }

    /// <summary>The id it was asked for under, an alias replaced by what it stands for.</summary>
    public ObjectId Id { get; }

    /// <summary>The object itself: differs from <see cref="Id"/> for a branch.</summary>
    public ObjectId Owner => _record.Id;

    /// <summary>Whether this is a head of a file of which another head holds the name.</summary>
    public bool IsBranch => Id != Owner;

    /// <summary>What it is.</summary>
    public TreeKind Kind => _record.Kind;

    /// <summary>Permission bits.</summary>
    public uint Mode => _record.Mode;

    /// <summary>Owner.</summary>
    public uint UserId => _record.UserId;

    /// <summary>Group.</summary>
    public uint GroupId => _record.GroupId;

    /// <summary>Device number.</summary>
    public uint Device => _record.Device;

    /// <summary>Where a symbolic link points.</summary>
    public ReadOnlyMemory<byte> LinkTarget => _record.LinkTarget;

    /// <summary>Who made it.</summary>
    public NodeId Creator => _record.Creator;

    /// <summary>Claimed time of creation.</summary>
    public WallTime Created => _record.Created;

    /// <summary>Claimed time of the last change of anything.</summary>
    public WallTime Changed => _record.Changed;

    /// <summary>Claimed time of the last change of content.</summary>
    public WallTime Modified => Head is { } head ? head.Modified : _record.Modified;

    /// <summary>Length of the shown head, or of a link's target; 0 for anything else.</summary>
    public long SizeBytes => _record.Heads.Count > 0 ? _record.Heads[_head].SizeBytes : _record.LinkTarget.Length;

    /// <summary>Bytes of the shown head that are not holes.</summary>
    public long DataBytes => _record.Heads.Count > 0 ? _record.Heads[_head].DataBytes : 0;

    /// <summary>Entries that point at it; 2 + subdirectories for a directory; 0 when it was removed.</summary>
    /// <remarks>A branch is shown beside each entry of its owner, so it has as many.</remarks>
    public uint LinkCount => _record.Detached ? 0
        : _record.IsDirectory ? 2 + _record.Subdirectories
        : (uint)_record.Places.Count;

    /// <summary>Whether it has no entry any more.</summary>
    public bool IsDetached => _record.Detached;

    /// <summary>
    /// The head shown here: the one that holds the name, or the branch's. Null for an empty file and other kinds.
    /// </summary>
    public HeadView? Head => _record.Heads.Count == 0 ? null : Heads[_head];

    /// <summary>All heads of the file, the one that holds the name first.</summary>
    public ImmutableArray<HeadView> Heads
    {
        get
        {
            if (_heads.IsDefault)
            {
                var heads = new HeadView[_record.Heads.Count];
                for (int i = 0; i < heads.Length; i++)
                {
                    heads[i] = new HeadView(_record.Heads[i]);
                }

                _heads = ImmutableCollectionsMarshal.AsImmutableArray(heads);
            }

            return _heads;
        }
    }

    /// <summary>What held the name before this object took it; zeros if nothing did.</summary>
    public ObjectId PredecessorObject => _record.PredecessorObject;

    /// <summary>The version of it that its successor's author saw.</summary>
    public VersionId PredecessorVersion => _record.PredecessorVersion;

    internal ObjectRecord Record => _record;

    /// <summary>What makes an object like it, without entries, content and extended attributes.</summary>
    internal CreateObject ToCreateObject(ObjectId id) =>
        new(id, Kind, Mode, UserId, GroupId, Device, Modified, LinkTarget);
}

/// <summary>A version that is no head any more.</summary>
/// <param name="Object">The file.</param>
/// <param name="Version">The version with its manifest.</param>
/// <param name="By">The transaction that superseded it.</param>
/// <param name="At">That transaction's claim.</param>
public readonly record struct SupersededVersion(ObjectId Object, HeadView Version, TransactionId By, WallTime At);

/// <summary>An object without an entry.</summary>
/// <param name="Object">Which.</param>
/// <param name="By">The transaction that removed its last entry.</param>
public readonly record struct DetachedObject(ObjectId Object, TransactionId By);

/// <summary>A list of addresses that was condemned and is not settled yet.</summary>
/// <param name="By">The condemning transaction.</param>
/// <param name="Addresses">What is left of its addresses after rescues.</param>
public readonly record struct CondemnedAddresses(TransactionId By, ImmutableArray<ChunkAddress> Addresses);
