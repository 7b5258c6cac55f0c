using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Records;

/// <summary>
/// One version of a file, as the table keeps it: a head inside its object, or a superseded version alone.
/// </summary>
internal sealed class HeadRecord
{
    private const int HasBranch = 1;
    private const int ByCreator = 2;

    internal VersionId Version { get; init; }

    /// <summary>Versions of other writers with the same content; naming one of them is naming this.</summary>
    internal VersionId[] Twins { get; set; } = [];

    internal VersionId[] Parents { get; init; } = [];

    /// <summary>The id under which a head that does not hold the name is shown; zeros for the one that does.</summary>
    internal ObjectId Branch { get; set; }

    internal long SizeBytes { get; init; }

    internal long DataBytes { get; init; }

    internal WallTime Modified { get; set; }

    internal WallTime Written { get; init; }

    internal NodeId Author { get; init; }

    internal ReadOnlyMemory<byte> Manifest { get; init; }

    internal bool Is(VersionId version) => Version == version || Array.IndexOf(Twins, version) >= 0;

    internal bool IsAmong(ReadOnlySpan<VersionId> versions)
    {
        foreach (VersionId version in versions)
        {
            if (Is(version))
            {
                return true;
            }
        }

        return false;
    }

    internal bool SameContent(HeadRecord other) =>
        SizeBytes == other.SizeBytes && Manifest.Span.SequenceEqual(other.Manifest.Span);

    internal void Encode(ByteBuilder builder, NodeId creator)
    {
        bool byCreator = Author == creator;
        builder.Byte((Branch == default ? 0 : HasBranch) | (byCreator ? ByCreator : 0));
        builder.Id(Version.Value);
        if (Branch != default)
        {
            builder.Id(Branch.Value);
        }

        if (!byCreator)
        {
            builder.Node(Author);
        }

        Versions(builder, Twins);
        Versions(builder, Parents);
        builder.VarUInt((ulong)SizeBytes);
        builder.VarUInt((ulong)DataBytes);
        builder.Time(Modified);
        builder.Time(Written);
        builder.Prefixed(Manifest.Span);
    }

    internal static HeadRecord Decode(ref WireReader reader, NodeId creator, ReadOnlyMemory<byte> whole)
    {
        int flags = reader.Byte();
        reader.Require(flags <= (HasBranch | ByCreator));
        var version = new VersionId(reader.Bytes16());
        var branch = new ObjectId((flags & HasBranch) != 0 ? reader.Bytes16() : default);
        NodeId author = (flags & ByCreator) != 0 ? creator : new NodeId(reader.Bytes32());
        return new HeadRecord
        {
            Version = version,
            Branch = branch,
            Author = author,
            Twins = Versions(ref reader),
            Parents = Versions(ref reader),
            SizeBytes = (long)reader.VarUInt(),
            DataBytes = (long)reader.VarUInt(),
            Modified = new WallTime(reader.Int64()),
            Written = new WallTime(reader.Int64()),
            Manifest = Slice(ref reader, whole),
        };
    }

    private static ReadOnlyMemory<byte> Slice(ref WireReader reader, ReadOnlyMemory<byte> whole)
    {
        int length = reader.LengthPrefixed().Length;
        return reader.Failed ? default : whole.Slice(whole.Length - reader.Remaining - length, length);
    }

    private static void Versions(ByteBuilder builder, VersionId[] versions)
    {
        builder.VarUInt((ulong)versions.Length);
        foreach (VersionId version in versions)
        {
            builder.Id(version.Value);
        }
    }

    private static VersionId[] Versions(ref WireReader reader)
    {
        int count = reader.Count(VersionId.Size);
        if (count == 0)
        {
            return [];
        }

        var versions = new VersionId[count];
        for (int i = 0; i < count; i++)
        {
            versions[i] = new VersionId(reader.Bytes16());
        }

        return versions;
    }
}
