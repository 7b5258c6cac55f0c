using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree;

/// <summary>Objects that never exist, whose rules are marks of a volume: replicated and ordered like everything else.</summary>
public static class MarkPlace
{
    /// <summary>Where in a volume's log a member says what it thinks of condemnations: docs/formats/garbage-mark.md.</summary>
    /// <remarks>
    /// The fold files it under its author and nothing else, so a rule that somebody else sets for that object, or for an
    /// object made with that id, says nothing.
    /// </remarks>
    public static ObjectId Of(NodeId member)
    {
        Span<byte> whose = stackalloc byte[NodeId.Size];
        member.Value.CopyTo(whose);
        return Of("cairn/garbage-mark"u8, whose);
    }

    /// <summary>The object whose rule is a mark: the first bytes of the SHA-256 of the mark's name and of whose it is.</summary>
    /// <param name="mark">The mark's name in ASCII.</param>
    /// <param name="whose">What there is one mark for; nothing if the volume has one.</param>
    public static ObjectId Of(ReadOnlySpan<byte> mark, ReadOnlySpan<byte> whose = default)
    {
        Span<byte> input = stackalloc byte[mark.Length + whose.Length];
        mark.CopyTo(input);
        whose.CopyTo(input[mark.Length..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return new ObjectId(hash[..ObjectId.Size]);
    }
}
