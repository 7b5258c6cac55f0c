using Cairn.Core.Primitives;

namespace Cairn.Node.Volumes;

/// <summary>A file that a member of the pool has open for writing.</summary>
/// <param name="Path">Where it is, from the root, with '/'; bytes that are not UTF-8 are U+EF80 to U+EFFF.</param>
/// <param name="Node">The member.</param>
/// <param name="NodeName">What it is called.</param>
/// <param name="IsHere">Whether it is the node that answers.</param>
/// <param name="OpenFor">How long this node has known of it.</param>
public sealed record OpenFile(string Path, NodeId Node, string NodeName, bool IsHere, TimeSpan OpenFor)
{
    /// <summary>The person who uses the member's machine; empty: nobody in particular, or the volume was asked alone.</summary>
    public string User { get; init; } = string.Empty;
}

/// <summary>Who has which files of a volume open for writing. It prevents nothing.</summary>
/// <remarks>
/// What others have open was heard from them seconds ago; what a member that is away has open is not known. Thread: any;
/// calls complete synchronously under the volume's gate.
/// </remarks>
public interface IVolumePresence
{
    /// <summary>The names of the other members that have a file open for writing.</summary>
    IReadOnlyList<string> Elsewhere(InodeNumber file);

    /// <summary>Every file that is open for writing, here or elsewhere, by path; once for each member.</summary>
    IReadOnlyList<OpenFile> All();
}
