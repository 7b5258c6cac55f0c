using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Placement;

public sealed class PlacementWeightsTests
{
    /// <summary>docs/formats/weights.md; must decode for ever.</summary>
    private static readonly string Golden = "0102"
        + new string('1', 64) + "ac02" + "01000000"
        + new string('2', 64) + "00" + "ffffffff";

    private static readonly PlacementWeights Weights = new(
    [
        new NodeWeight(new NodeId(Convert.FromHexString(new string('2', 64))), 0, PlacementWeights.Pinned),
        new NodeWeight(new NodeId(Convert.FromHexString(new string('1', 64))), 300, 1),
    ]);

    [Fact]
    public void The_golden_weights_decode()
    {
        Assert.Equal(Golden, Convert.ToHexStringLower(PlacementWeightsCodec.Encode(Weights)));
        Assert.Equal(Weights, PlacementWeightsCodec.Decode(Convert.FromHexString(Golden)).Value);
        Assert.True(Weights.TryGet(new NodeId(Convert.FromHexString(new string('1', 64))), out NodeWeight one));
        Assert.Equal(1u, one.Weight);
        Assert.False(Weights.TryGet(PlacementKit.Node(1), out _));
    }

    [Fact]
    public void Bad_bytes_have_their_errors()
    {
        byte[] bytes = Convert.FromHexString(Golden);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(PlacementWeightsError.Malformed, PlacementWeightsCodec.Decode(bytes.AsSpan(0, length)).Error);
        }

        Assert.Equal(PlacementWeightsError.NewerFormat, PlacementWeightsCodec.Decode([2, 0]).Error);
        byte[] unsorted = [.. bytes];
        unsorted[2] = 0x33;
        Assert.Equal(PlacementWeightsError.Malformed, PlacementWeightsCodec.Decode(unsorted).Error);
        byte[] zeroWeight = [.. bytes];
        zeroWeight[36] = 0;
        Assert.Equal(PlacementWeightsError.Malformed, PlacementWeightsCodec.Decode(zeroWeight).Error);
    }
}
