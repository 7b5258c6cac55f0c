using System.Buffers;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

public sealed class AbsenceDaysTests
{
    private static readonly NodeId Here = MemberKit.Node(1);
    private static readonly NodeId Away = MemberKit.Node(2);
    private readonly AbsenceDays _days = new();

    [Fact]
    public void A_day_without_a_sign_counts_once_and_a_sign_ends_the_count()
    {
        Look(1, Here);
        Look(2, Here);
        Look(2, Here);
        Look(3, Here);
        Assert.Equal((0UL, 3UL), (_days.Of(Here), _days.Of(Away)));
        Look(3, Here, Away);
        Assert.Equal(0UL, _days.Of(Away));
        Look(4, Here);
        Assert.Equal(0UL, _days.Of(Away));
        Look(5, Here);
        Assert.Equal(1UL, _days.Of(Away));
    }

    [Fact]
    public void Time_that_this_node_slept_and_a_clock_that_jumps_count_one_day()
    {
        Look(1, Here);
        Look(400, Here);
        Look(7, Here);
        Assert.Equal(3UL, _days.Of(Away));
    }

    [Fact]
    public void Who_is_no_member_any_more_begins_anew_when_it_is_one_again()
    {
        Look(1, Here);
        _days.Look(2, [Here], node => node == Here);
        Assert.Equal(0UL, _days.Of(Away));
    }

    [Fact]
    public void Counts_survive_a_restart_and_damage_gives_more_time()
    {
        Look(1, Here);
        Look(2, Here);
        var output = new ArrayBufferWriter<byte>();
        _days.Encode(new WireWriter(output));
        AbsenceDays read = AbsenceDays.Decode(output.WrittenSpan);
        Assert.False(read.Look(2, [Here, Away], static _ => false));
        Assert.Equal(2UL, read.Of(Away));
        Assert.Equal(0UL, AbsenceDays.Decode(output.WrittenSpan[1..]).Of(Away));
    }

    private void Look(ulong day, params NodeId[] here) => _days.Look(day, [Here, Away], here.Contains);
}
