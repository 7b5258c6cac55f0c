using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree;

/// <summary>Where in a volume's log a member says what it thinks of condemnations: docs/formats/garbage-mark.md.</summary>
/// <remarks>
/// In the log it is the rule of an object that never exists, one a member. The fold files it under its author and
/// nothing else, so a rule that somebody else sets for that object, or for an object made with that id, says nothing.
/// </remarks>
public static class MarkPlace
{
    /// <summary>The object whose rule is a member's mark.</summary>
    public static ObjectId Of(NodeId member)
    {
        Span<byte> input = stackalloc byte[18 + NodeId.Size];
        "cairn/garbage-mark"u8.CopyTo(input);
        member.Value.CopyTo(input[18..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return new ObjectId(hash[..ObjectId.Size]);
    }
}
