using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>A version of a file, named with its file.</summary>
/// <param name="Object">The file.</param>
/// <param name="Version">One of its versions.</param>
public readonly record struct VersionRef(ObjectId Object, VersionId Version) : IComparable<VersionRef>
{
    /// <inheritdoc/>
    public int CompareTo(VersionRef other)
    {
        int order = Object.CompareTo(other.Object);
        return order != 0 ? order : Version.CompareTo(other.Version);
    }

    /// <summary>Before.</summary>
    public static bool operator <(VersionRef left, VersionRef right) => left.CompareTo(right) < 0;

    /// <summary>After.</summary>
    public static bool operator >(VersionRef left, VersionRef right) => left.CompareTo(right) > 0;

    /// <summary>Before or the same.</summary>
    public static bool operator <=(VersionRef left, VersionRef right) => left.CompareTo(right) <= 0;

    /// <summary>After or the same.</summary>
    public static bool operator >=(VersionRef left, VersionRef right) => left.CompareTo(right) >= 0;
}

/// <summary>
/// Names what nothing refers to any more. The fold forgets it; chunks die when every member has acknowledged.
/// </summary>
/// <param name="Cut">The state the author looked at: every member was known to have it.</param>
/// <param name="Objects">Detached objects to forget.</param>
/// <param name="Versions">Superseded versions to forget.</param>
/// <param name="Addresses">Chunks that nothing at the cut refers to.</param>
/// <param name="Settled">Earlier condemnations that everybody has acted on: their lists can go.</param>
public sealed record Condemn(
    LogPositions Cut, ImmutableArray<ObjectId> Objects, ImmutableArray<VersionRef> Versions,
    ImmutableArray<ChunkAddress> Addresses, ImmutableArray<TransactionId> Settled) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Condemn;
}

/// <summary>Chunks that a staged version or an open file still needs: every condemnation of them is void.</summary>
/// <param name="Addresses">The chunks.</param>
public sealed record Rescue(ImmutableArray<ChunkAddress> Addresses) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Rescue;
}

/// <summary>Garbage no longer waits for a member; it re-authors its offline work when it returns.</summary>
/// <param name="Member">Who.</param>
/// <param name="Excluded">False takes it back.</param>
public sealed record Exclude(NodeId Member, bool Excluded) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.Exclude;
}
