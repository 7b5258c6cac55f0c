using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using static Cairn.Core.Tests.Membership.PoolScene;

namespace Cairn.Core.Tests.Membership;

/// <summary>
/// When a checkpoint of a volume stands: once the last of all members has made the same. When it is settled: once all have said
/// so.
/// </summary>
public sealed class CheckpointRulesTests
{
    private readonly PoolScene _first = new(1);
    private readonly PoolScene _second = new(2);

    public CheckpointRulesTests()
    {
        _first.Do(Grant(1, MemberRole.Admin), Grant(2, MemberRole.Member));
        _first.Do(Create(1, "docs"));
        _second.MeetWith(_first);
    }

    [Fact]
    public void It_stands_when_the_last_member_has_made_the_same()
    {
        _first.Do(Vouch(10, 1));
        Assert.Empty(_first.State.Checkpoints);
        _second.MeetWith(_first);
        _second.Do(Vouch(10, 1));
        StandingCheckpoint standing = _second.State.Checkpoints[Volume(1)];
        Assert.Equal(Vouch(10, 1).Checkpoint, standing.Checkpoint);
        Assert.Equal(new[] { MemberKit.Node(1), MemberKit.Node(2) }.Order(), standing.Members);
        Assert.Equal(2, _second.State.Made.Count);

        // Who comes later has nothing to say to it, and everything to the next.
        _second.MeetWith(_first);
        _first.Do(Grant(3, MemberRole.Member));
        Assert.Equal(10UL, Depth(_first));
        _first.Do(Vouch(20, 2));
        _second.MeetWith(_first);
        _second.Do(Vouch(20, 2));
        Assert.Equal(10UL, Depth(_second));
        PoolScene third = new(3);
        third.MeetWith(_second);
        third.Do(Vouch(20, 2));
        Assert.Equal(20UL, Depth(third));
    }

    [Fact]
    public void It_does_not_stand_where_one_made_another()
    {
        _first.Do(Vouch(10, 1));
        _second.MeetWith(_first);
        _second.Do(Vouch(10, 2));
        Assert.Empty(_second.State.Checkpoints);
        _second.Do(Vouch(10, 1));
        Assert.Equal(10UL, Depth(_second));
    }

    [Fact]
    public void An_older_one_takes_no_newer_ones_place()
    {
        _first.Do(Vouch(20, 1));
        _second.MeetWith(_first);
        _second.Do(Vouch(20, 1));
        _second.MeetWith(_first);
        _first.Do(Vouch(10, 1));
        _second.MeetWith(_first);
        _second.Do(Vouch(10, 1));
        Assert.Equal(20UL, Depth(_second));
    }

    [Fact]
    public void Who_is_no_member_has_no_say_and_who_is_forgotten_is_not_waited_for()
    {
        PoolScene stranger = new(4);
        stranger.MeetWith(_first);
        stranger.Do(Vouch(10, 1));
        Assert.Empty(stranger.State.Made);
        _first.Do(new VouchCheckpoint(Volume(9), Vouch(10, 1).Checkpoint));
        Assert.Empty(_first.State.Made);
        _first.Do(new Exclude(MemberKit.Node(2), true));
        _first.Do(Vouch(10, 1));
        Assert.Equal(10UL, Depth(_first));
    }

    [Fact]
    public void It_is_settled_when_all_have_said_so_and_the_last_has_heard_them()
    {
        Stand(10);
        AgingCheckpoint aging = _first.State.Aging[Volume(1)];
        Assert.Equal(Vouch(10, 1).Checkpoint, aging.Standing.Checkpoint);

        // Both at once: nobody has heard the other. Whoever says it again has.
        _first.Do(Settle(10));
        _second.Do(Settle(10));
        _second.MeetWith(_first);
        Assert.Empty(_first.State.Settled);
        Assert.True(_first.State.IsSettledByWords(Volume(1), Settle(10).Checkpoint));
        Assert.Equal(2, _first.State.SettleWords.Count);
        Assert.Equal(
            new SettleWord(Settle(10).Checkpoint, Agrees: true),
            _first.State.SettleWords[(Volume(1), MemberKit.Node(1))]);
        _first.Do(Settle(10));
        _second.MeetWith(_first);
        Assert.Equal(10UL, _second.State.Settled[Volume(1)].Checkpoint.Depth);
        Assert.Equal(
            new[] { MemberKit.Node(1), MemberKit.Node(2) }.Order(), _second.State.Settled[Volume(1)].Members);
        Assert.Empty(_second.State.Aging);

        // The next begins to age when it stands; until then the deeper one counts.
        Stand(20);
        Assert.Equal(20UL, _first.State.Aging[Volume(1)].Standing.Checkpoint.Depth);
        Stand(30);
        Assert.Equal(20UL, _first.State.Aging[Volume(1)].Standing.Checkpoint.Depth);
        SettleBoth(20);
        Assert.Equal(20UL, _second.State.Settled[Volume(1)].Checkpoint.Depth);
        Assert.Equal(30UL, _second.State.Aging[Volume(1)].Standing.Checkpoint.Depth);
        SettleBoth(10);
        Assert.Equal(20UL, _second.State.Settled[Volume(1)].Checkpoint.Depth);
    }

    [Fact]
    public void Who_cannot_agree_brings_the_next_one_into_play()
    {
        Stand(10);
        Stand(20);
        Assert.Equal(10UL, _first.State.Aging[Volume(1)].Standing.Checkpoint.Depth);
        _first.Do(Settle(10));
        _second.MeetWith(_first);
        _second.Do(Settle(10) with { Agrees = false });
        Assert.Empty(_second.State.Settled);
        Assert.Equal(20UL, _second.State.Aging[Volume(1)].Standing.Checkpoint.Depth);
        _second.Do(Settle(20) with { Agrees = false });
        Assert.Empty(_second.State.Aging);
    }

    /// <summary>What comes to light later and belongs earlier in the order takes nothing back: blocks may be gone.</summary>
    [Fact]
    public void What_comes_before_it_later_does_not_unsettle_it()
    {
        _first.Do(Grant(3, MemberRole.Admin));
        PoolScene third = new(3);
        third.MeetWith(_first);
        third.Do(Revoke(1));
        third.Do(Grant(4, MemberRole.Member));
        _first.Do(Create(2, "more"));
        _first.Do(Create(3, "more"));
        _first.Do(Revoke(3));
        _second.MeetWith(_first);
        Stand(10);
        SettleBoth(10);
        Assert.Equal(10UL, _first.State.Settled[Volume(1)].Checkpoint.Depth);
        _first.MeetWith(third);
        PoolScene newcomer = new(5);
        newcomer.MeetWith(_first);
        Assert.Equal(MemberStanding.Suspended, newcomer.StandingOf(1));
        Assert.Equal(10UL, _first.State.Settled[Volume(1)].Checkpoint.Depth);
        Assert.Equal(10UL, newcomer.State.Settled[Volume(1)].Checkpoint.Depth);
    }

    /// <summary>Each half of a pool may forget the other, and be of one mind.</summary>
    [Fact]
    public void Half_of_the_pool_settles_nothing()
    {
        _first.Do(new Exclude(MemberKit.Node(2), true));
        _first.Do(Vouch(10, 1));
        _first.Do(Settle(10));
        Assert.Empty(_first.State.Settled);
        _first.Do(Grant(3, MemberRole.Member));
        _first.Do(Settle(10));
        PoolScene third = new(3);
        third.MeetWith(_first);
        third.Do(Settle(10));
        Assert.Equal(10UL, third.State.Settled[Volume(1)].Checkpoint.Depth);
    }

    /// <summary>Machines are replaced over the years: those that left do not outvote those that are here.</summary>
    [Fact]
    public void Who_left_by_its_own_will_is_not_counted()
    {
        foreach (int leaver in new[] { 3, 4, 5 })
        {
            _first.Do(Grant(leaver, MemberRole.Member));
            PoolScene left = new(leaver);
            left.MeetWith(_first);
            left.Do(new Exclude(MemberKit.Node(leaver), true));
            _first.MeetWith(left);
        }

        _second.MeetWith(_first);
        Stand(10);
        SettleBoth(10);
        Assert.Equal(10UL, _second.State.Settled[Volume(1)].Checkpoint.Depth);
        Assert.Equal(2, _second.State.Settled[Volume(1)].Members.Length);
    }

    [Fact]
    public void Who_is_no_member_settles_nothing()
    {
        Stand(10);
        PoolScene stranger = new(4);
        stranger.MeetWith(_first);
        stranger.Do(Settle(10));
        Assert.Empty(stranger.State.SettleWords);
        SettleBoth(10);
        stranger.MeetWith(_first);
        Assert.Equal(2, stranger.State.Settled[Volume(1)].Members.Length);
    }

    private void Stand(ulong depth)
    {
        _first.Do(Vouch(depth, 1));
        _second.MeetWith(_first);
        _second.Do(Vouch(depth, 1));
        _second.MeetWith(_first);
    }

    private void SettleBoth(ulong depth)
    {
        _first.Do(Settle(depth));
        _second.MeetWith(_first);
        _second.Do(Settle(depth));
        _second.MeetWith(_first);
    }

    private static SettleCheckpoint Settle(ulong depth) => new(Volume(1), Vouch(depth, 1).Checkpoint, Agrees: true);

    private static VouchCheckpoint Vouch(ulong depth, byte hash) => new(
        Volume(1), new MadeCheckpoint(depth, 3, new Bytes32([.. Enumerable.Repeat(hash, 32)]), default));

    private static ulong Depth(PoolScene scene) => scene.State.Checkpoints[Volume(1)].Checkpoint.Depth;
}
