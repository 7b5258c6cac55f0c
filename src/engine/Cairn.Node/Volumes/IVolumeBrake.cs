using Cairn.Core.Primitives;

namespace Cairn.Node.Volumes;

/// <summary>A member that took a large part of a volume away: what it took stays until somebody decides.</summary>
/// <param name="Node">The member.</param>
/// <param name="NodeName">What it calls itself.</param>
/// <param name="From">The claim of when it began.</param>
/// <param name="To">The claim of when the last of it was, as far as it was measured.</param>
/// <param name="Objects">Files, folders and links that it removed, and files that it rewrote.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="ObjectsBefore">How many the volume had before.</param>
/// <param name="BytesBefore">Their bytes.</param>
public sealed record BrakedMember(
    NodeId Node, string NodeName, WallTime From, WallTime To, long Objects, long Bytes, long ObjectsBefore,
    long BytesBefore)
{
    /// <summary>The person who uses the member's machine; empty: nobody in particular, or the volume was asked alone.</summary>
    public string User { get; init; } = string.Empty;

    /// <summary>How much of the volume that is, in percent: of the objects or of the bytes, whichever is more.</summary>
    public long Percent => Math.Max(PartOf(Objects, ObjectsBefore), PartOf(Bytes, BytesBefore));

    private static long PartOf(long part, long whole) => whole <= 0 ? 0 : (long)Math.Min(100, 100.0 * part / whole);
}

/// <summary>The brake of a volume: what is held for review, and the decisions.</summary>
/// <remarks>Thread: any.</remarks>
public interface IVolumeBrake
{
    /// <summary>What is held, by the names of the members.</summary>
    IReadOnlyList<BrakedMember> List();

    /// <summary>It was meant: what the members took away until now is kept as long as any past, and no longer.</summary>
    /// <returns>NotFound when nothing of them is held.</returns>
    Result<Unit, VolumeError> Release(IReadOnlyList<NodeId> members);

    /// <summary>
    /// Makes the volume what it would be without the members' work since the first of them began, and ends the hold. Itself undoable.
    /// </summary>
    /// <returns>NotFound when nothing of them is held.</returns>
    ValueTask<Result<RestoreOutcome, VolumeError>> Undo(
        IReadOnlyList<NodeId> members, CancellationToken cancellation);
}
