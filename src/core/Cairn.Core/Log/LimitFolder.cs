using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>What is said about who edits below a folder.</summary>
public enum FolderAccess : byte
{
    /// <summary>Nothing: what the folders above say holds.</summary>
    Inherit = 0,

    /// <summary>Every member that may edit the volume, whatever the folders above say.</summary>
    Everyone = 1,

    /// <summary>Only some.</summary>
    Only = 2,
}

/// <summary>Who may edit below a folder from now on; what the author had seen of the volume is judged as before.</summary>
/// <param name="Volume">Which volume.</param>
/// <param name="Folder">Which folder of it.</param>
/// <param name="Access">What is said.</param>
/// <param name="Writers">Who may, in the order of their ids; empty unless <see cref="FolderAccess.Only"/>.</param>
/// <param name="Seen">What the author had of the volume's logs.</param>
/// <param name="After">
/// A transaction of the volume that the author wrote behind all it had seen: who may not edit below the folder is only
/// obeyed, anywhere in the volume, in what was written after it.
/// </param>
public sealed record LimitFolder(
    VolumeId Volume, ObjectId Folder, FolderAccess Access, ImmutableArray<NodeId> Writers, LogPositions Seen,
    TransactionId After) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.LimitFolder;

    /// <summary>The limit set by who holds so much of the volume's logs.</summary>
    /// <param name="volume">Which volume.</param>
    /// <param name="folder">Which folder of it.</param>
    /// <param name="access">What is said.</param>
    /// <param name="writers">Who may edit below it, in the order of their ids.</param>
    /// <param name="held">What is held: what the others have written stands, as far as it stood.</param>
    /// <param name="after">What was written behind it.</param>
    /// <param name="acceptsRefused">Whether everything of those who may edit it stands, also what was refused.</param>
    public static LimitFolder By(
        VolumeId volume, ObjectId folder, FolderAccess access, ImmutableArray<NodeId> writers, LogPositions held,
        TransactionId after, bool acceptsRefused) => new(
        volume, folder, access, writers,
        !acceptsRefused ? held : LogPositions.From(
            held.Logs.Where(log => access == FolderAccess.Only && !writers.Contains(log.Key.Author))),
        after);

    /// <summary>What that is for one member; null: nothing is said.</summary>
    public bool? MayEdit(NodeId member) =>
        Access == FolderAccess.Inherit ? null : Access == FolderAccess.Everyone || Writers.Contains(member);

    /// <summary>Whether the author had a transaction when it said this.</summary>
    public bool HasSeen(TransactionId id) => Seen.Contains(id);
}
