using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Engine.Upkeep;

/// <summary>Tells the volume once how this node is called, with the first transaction it writes.</summary>
/// <remarks>
/// Names of conflicting versions are made from the tree alone, so that they are the same everywhere: the name has to be in it.
/// A node that only reads writes nothing. Guarded by the volume's gate.
/// </remarks>
internal sealed class AuthorName(TreeQueries queries, NodeId self, string name)
{
    private readonly byte[] _name = Shorten(name);
    private bool _isTold = name.Length == 0;

    /// <summary>The primitives of a transaction, with the name in front if the tree does not know it.</summary>
    public ImmutableArray<Primitive> Sign(ImmutableArray<Primitive> primitives)
    {
        if (_isTold)
        {
            return primitives;
        }

        _isTold = queries.AuthorName(self).Span.SequenceEqual(_name);
        return _isTold ? primitives : [new NameAuthor(_name), .. primitives];
    }

    /// <summary>Whole characters that fit what the log carries.</summary>
    private static byte[] Shorten(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        int length = Math.Min(bytes.Length, NameAuthor.BytesMax);
        while (length < bytes.Length && (bytes[length] & 0xC0) == 0x80)
        {
            length--;
        }

        return bytes[..length];
    }
}
