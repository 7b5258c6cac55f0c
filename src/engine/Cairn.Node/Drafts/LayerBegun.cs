using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Drafts;

/// <summary>What the journal says when a draft begins: what it lies over. docs/formats/volume-journal.md.</summary>
/// <param name="Object">The file, or the branch.</param>
/// <param name="BaseHeads">The heads its publication supersedes.</param>
/// <param name="Below">The draft that was being published when this one began, or zeros: that draft is the base then.</param>
/// <param name="BaseRoot">The encoded ManifestRoot of the base; empty for none.</param>
internal sealed record LayerBegun(
    ObjectId Object, ImmutableArray<VersionId> BaseHeads, VersionId Below, ReadOnlyMemory<byte> BaseRoot)
{
    private const int HeadsMax = 1024;

    /// <summary>Writes the payload.</summary>
    public static void Encode(LayerBegun layer, WireWriter writer)
    {
        writer.Bytes16(layer.Object.Value);
        writer.Bytes16(layer.Below.Value);
        writer.Count(layer.BaseHeads.Length);
        foreach (VersionId head in layer.BaseHeads)
        {
            writer.Bytes16(head.Value);
        }

        writer.LengthPrefixed(layer.BaseRoot.Span);
    }

    /// <summary>Reads a payload; null if it is not one.</summary>
    public static LayerBegun? Decode(ReadOnlySpan<byte> bytes)
    {
        WireReader reader = new(bytes);
        ObjectId id = new(reader.Bytes16());
        VersionId below = new(reader.Bytes16());
        int count = reader.Count(VersionId.Size);
        reader.Require(count <= HeadsMax);
        ImmutableArray<VersionId>.Builder heads = ImmutableArray.CreateBuilder<VersionId>();
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            heads.Add(new VersionId(reader.Bytes16()));
        }

        byte[] root = reader.LengthPrefixed(Transaction.ManifestBytesMax).ToArray();
        return reader.Complete ? new LayerBegun(id, heads.ToImmutable(), below, root) : null;
    }
}
