using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Core.Placement;

/// <summary>Why the bytes of a weights record were refused.</summary>
public enum PlacementWeightsError
{
    /// <summary>The bytes are not a weights record.</summary>
    Malformed,

    /// <summary>A newer program wrote it. Upgrading helps.</summary>
    NewerFormat,
}

/// <summary>The bytes of a weights record: docs/formats/weights.md.</summary>
public static class PlacementWeightsCodec
{
    /// <summary>The format written, and the newest one read.</summary>
    public const byte Version = 1;

    /// <summary>Version, count, then id, capacity and weight of each node in the order of ids.</summary>
    public static byte[] Encode(PlacementWeights weights)
    {
        ArrayBufferWriter<byte> output = new(64 + (48 * weights.Nodes.Length));
        WireWriter writer = new(output);
        writer.Byte(Version);
        writer.Count(weights.Nodes.Length);
        foreach (NodeWeight weight in weights.Nodes)
        {
            writer.Bytes32(weight.Node.Value);
            writer.VarUInt((ulong)weight.CapacityBytes);
            writer.UInt32(weight.Weight);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Decodes bytes from anywhere.</summary>
    public static Result<PlacementWeights, PlacementWeightsError> Decode(ReadOnlySpan<byte> bytes)
    {
        WireReader reader = new(bytes);
        byte version = reader.Byte();
        if (version > Version)
        {
            return PlacementWeightsError.NewerFormat;
        }

        reader.Require(version == Version);
        int count = reader.Count(NodeId.Size + 5);
        List<NodeWeight> weights = new(count);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            NodeId node = new(reader.Bytes32());
            ulong capacity = reader.VarUInt();
            uint weight = reader.UInt32();
            reader.Require(capacity <= long.MaxValue && PlacementWeights.IsWeight(weight));
            reader.Require(i == 0 || (!reader.Failed && weights[^1].Node < node));
            weights.Add(new NodeWeight(node, (long)capacity, weight));
        }

        return reader.Complete ? new PlacementWeights(weights) : PlacementWeightsError.Malformed;
    }
}
