using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Records;

/// <summary>Where an object has an entry.</summary>
/// <param name="Parent">The directory; never an alias.</param>
/// <param name="Name">The entry's name.</param>
internal readonly record struct PlaceRecord(ObjectId Parent, ReadOnlyMemory<byte> Name)
{
    internal bool Is(ObjectId parent, ReadOnlySpan<byte> name) => Parent == parent && Name.Span.SequenceEqual(name);
}

/// <summary>What stands behind an object id.</summary>
internal enum ObjectForm
{
    /// <summary>An object.</summary>
    Plain = 0,

    /// <summary>A directory that was merged into another.</summary>
    Alias = 1,

    /// <summary>A head that does not hold its file's name.</summary>
    Branch = 2,
}

/// <summary>An object, as the table keeps it. docs/formats/tree-table.md, section "Object".</summary>
/// <remarks>
/// Invariants: a detached object has no entry and remembers at most its last one; heads are in the order of the fold,
/// the first holds the name and has no branch; a directory has at most one place; an alias or branch has only its
/// target.
/// </remarks>
internal sealed class ObjectRecord
{
    private const int KindMask = 7;
    private const int FormShift = 3;
    private const int DetachedFlag = 1 << 5;
    private const int DeviceFlag = 1 << 6;
    private const int PredecessorFlag = 1 << 7;

    internal ObjectId Id { get; set; }

    internal ObjectForm Form { get; set; }

    /// <summary>What an alias or branch stands for.</summary>
    internal ObjectId Target { get; set; }

    internal TreeKind Kind { get; init; }

    internal uint Mode { get; set; }

    internal uint UserId { get; set; }

    internal uint GroupId { get; set; }

    internal uint Device { get; init; }

    internal NodeId Creator { get; init; }

    internal WallTime Created { get; init; }

    internal WallTime Changed { get; set; }

    /// <summary>Of anything without heads; a head has its own.</summary>
    internal WallTime Modified { get; set; }

    internal ReadOnlyMemory<byte> LinkTarget { get; init; }

    internal uint Subdirectories { get; set; }

    internal bool Detached { get; set; }

    /// <summary>All entries; of a detached object the last one it had.</summary>
    internal List<PlaceRecord> Places { get; } = new(1);

    internal List<HeadRecord> Heads { get; } = [];

    /// <summary>What last held the name before this object took it, for the file's history.</summary>
    internal ObjectId PredecessorObject { get; set; }

    internal VersionId PredecessorVersion { get; set; }

    /// <summary>Whether the transaction at work changed it.</summary>
    internal bool Dirty { get; set; }

    /// <summary>Whether the transaction at work forgets it.</summary>
    internal bool Purged { get; set; }

    /// <summary>Whether it could be reached before the transaction at work.</summary>
    internal bool WasLive { get; set; }

    /// <summary>The lengths of its heads before the transaction at work.</summary>
    internal long WasBytes { get; set; }

    /// <summary>Its branches before the transaction at work; null for none.</summary>
    internal List<ObjectId>? WasBranches { get; set; }

    internal bool IsDirectory => Kind == TreeKind.Directory;

    /// <summary>Whether it can be reached by an entry (the root always).</summary>
    internal bool IsLive => Form == ObjectForm.Plain && !Detached && (Places.Count > 0 || Id == default);

    internal long HeadBytes
    {
        get
        {
            long sum = 0;
            foreach (HeadRecord head in Heads)
            {
                sum += head.SizeBytes;
            }

            return sum;
        }
    }

    internal int IndexOfPlace(ObjectId parent, ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < Places.Count; i++)
        {
            if (Places[i].Is(parent, name))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Whether a version, or another with its content, is among the heads.</summary>
    internal bool HasHead(VersionId version)
    {
        foreach (HeadRecord head in Heads)
        {
            if (head.Is(version))
            {
                return true;
            }
        }

        return false;
    }

    internal static ObjectRecord NewRoot() => new() { Kind = TreeKind.Directory, Mode = 0x1ED };

    /// <summary>The form in the first byte of an encoded record.</summary>
    internal static ObjectForm FormOf(ReadOnlySpan<byte> encoded) => (ObjectForm)((encoded[0] >> FormShift) & 3);

    /// <summary>The kind in the first byte of an encoded record.</summary>
    internal static TreeKind KindOf(ReadOnlySpan<byte> encoded) => (TreeKind)(encoded[0] & KindMask);

    /// <summary>Whether an encoded object has no entry.</summary>
    internal static bool IsDetachedIn(ReadOnlySpan<byte> encoded) => (encoded[0] & DetachedFlag) != 0;

    /// <summary>The target of an encoded alias or branch.</summary>
    internal static ObjectId TargetOf(ReadOnlySpan<byte> encoded) => new(encoded.Slice(1, ObjectId.Size));

    /// <summary>Its bytes, in the builder until that is used again.</summary>
    internal ReadOnlySpan<byte> Encode(ByteBuilder builder)
    {
        builder.Clear();
        bool hasPredecessor = PredecessorObject != default;
        builder.Byte((int)Kind | ((int)Form << FormShift) | (Detached ? DetachedFlag : 0)
            | (Device != 0 ? DeviceFlag : 0) | (hasPredecessor ? PredecessorFlag : 0));
        if (Form != ObjectForm.Plain)
        {
            builder.Id(Target.Value);
            return builder.Written;
        }

        builder.VarUInt(Mode);
        builder.VarUInt(UserId);
        builder.VarUInt(GroupId);
        builder.Node(Creator);
        builder.Time(Created);
        builder.Time(Changed);
        builder.Time(Modified);
        if (Device != 0)
        {
            builder.VarUInt(Device);
        }

        if (hasPredecessor)
        {
            builder.Id(PredecessorObject.Value);
            builder.Id(PredecessorVersion.Value);
        }

        builder.Prefixed(LinkTarget.Span);
        builder.VarUInt(Subdirectories);
        builder.VarUInt((ulong)Places.Count);
        foreach (PlaceRecord place in Places)
        {
            builder.Id(place.Parent.Value);
            builder.Prefixed(place.Name.Span);
        }

        builder.VarUInt((ulong)Heads.Count);
        foreach (HeadRecord head in Heads)
        {
            head.Encode(builder, Creator);
        }

        return builder.Written;
    }

    internal static ObjectRecord Decode(ObjectId id, ReadOnlyMemory<byte> encoded)
    {
        var reader = new WireReader(encoded.Span);
        int flags = reader.Byte();
        var form = (ObjectForm)((flags >> FormShift) & 3);
        ObjectRecord record;
        if (form != ObjectForm.Plain)
        {
            record = new ObjectRecord
            {
                Id = id,
                Form = form,
                Kind = (TreeKind)(flags & KindMask),
                Target = new ObjectId(reader.Bytes16()),
            };
        }
        else
        {
            record = DecodePlain(id, encoded, flags, ref reader);
        }

        Invariant.That(reader.Complete, $"the record of object {id} is damaged: rebuild the index");
        return record;
    }

    private static ObjectRecord DecodePlain(ObjectId id, ReadOnlyMemory<byte> encoded, int flags, ref WireReader reader)
    {
        uint mode = reader.VarUInt32();
        uint user = reader.VarUInt32();
        uint group = reader.VarUInt32();
        var creator = new NodeId(reader.Bytes32());
        var created = new WallTime(reader.Int64());
        var changed = new WallTime(reader.Int64());
        var modified = new WallTime(reader.Int64());
        uint device = (flags & DeviceFlag) != 0 ? reader.VarUInt32() : 0;
        var predecessor = new ObjectId((flags & PredecessorFlag) != 0 ? reader.Bytes16() : default);
        var predecessorVersion = new VersionId((flags & PredecessorFlag) != 0 ? reader.Bytes16() : default);
        var record = new ObjectRecord
        {
            Id = id,
            Kind = (TreeKind)(flags & KindMask),
            Mode = mode,
            UserId = user,
            GroupId = group,
            Device = device,
            Creator = creator,
            Created = created,
            Changed = changed,
            Modified = modified,
            PredecessorObject = predecessor,
            PredecessorVersion = predecessorVersion,
            LinkTarget = Slice(ref reader, encoded),
            Subdirectories = reader.VarUInt32(),
            Detached = (flags & DetachedFlag) != 0,
        };
        int places = reader.Count(ObjectId.Size + 1);
        for (int i = 0; i < places; i++)
        {
            record.Places.Add(new PlaceRecord(new ObjectId(reader.Bytes16()), Slice(ref reader, encoded)));
        }

        int heads = reader.Count(VersionId.Size);
        for (int i = 0; i < heads; i++)
        {
            record.Heads.Add(HeadRecord.Decode(ref reader, creator, encoded));
        }

        return record;
    }

    private static ReadOnlyMemory<byte> Slice(ref WireReader reader, ReadOnlyMemory<byte> whole)
    {
        int length = reader.LengthPrefixed().Length;
        return reader.Failed || length == 0
            ? default
            : whole.Slice(whole.Length - reader.Remaining - length, length);
    }
}
