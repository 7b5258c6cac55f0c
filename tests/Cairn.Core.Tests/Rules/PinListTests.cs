using System.Collections.Immutable;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Core.Tests.Rules;

public sealed class PinListTests
{
    private const string Golden =
        "01020101010101010101010101010101010102020202020202020202020202020202030303030303030303030303030303030361"
        + "2e620001010101010101010101010101010101000000000000000000000000000000000000000000000000000000000000000000"
        + "0e";

    private static readonly Pin File = new()
    {
        Volume = new VolumeId(Same(1)),
        Object = new ObjectId(Same(2)),
        Parent = new ObjectId(Same(3)),
        Name = "a.b"u8.ToArray(),
    };

    private static readonly Pin Recent = new() { Volume = new VolumeId(Same(1)), Object = default, RecentDays = 14 };

    [Fact]
    public void Written_pins_are_read_for_ever()
    {
        Assert.Equal(Golden, Convert.ToHexStringLower(PinList.Encode([File, Recent])));
        ImmutableArray<Pin> read = PinList.Decode(Convert.FromHexString(Golden))!.Value;
        Assert.Equal(2, read.Length);
        Assert.True(read[0].IsSame(File) && read[0].Parent == File.Parent);
        Assert.Equal("a.b"u8.ToArray(), read[0].Name.ToArray());
        Assert.True(read[1].IsSame(Recent) && read[1].Name.IsEmpty);
    }

    [Fact]
    public void Anything_else_is_no_list_of_pins()
    {
        byte[] good = Convert.FromHexString(Golden);
        for (int length = 0; length < good.Length; length++)
        {
            Assert.Null(PinList.Decode(good.AsSpan(0, length)));
        }

        Assert.Null(PinList.Decode([.. good, 0]));
        Assert.Null(PinList.Decode([2, .. good[1..]]));
    }

    [Fact]
    public void What_is_recent_moves_with_the_day()
    {
        WallTime now = WallTime.From(new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(WallTime.From(new DateTimeOffset(2026, 11, 7, 0, 0, 0, TimeSpan.Zero)), Recent.Since(now));
        Assert.True(File.Since(now) < new WallTime(0));
        Assert.False(Recent.IsSame(Recent with { RecentDays = 15 }));
    }

    private static Bytes16 Same(byte value) => new([.. Enumerable.Repeat(value, Bytes16.Size)]);
}
