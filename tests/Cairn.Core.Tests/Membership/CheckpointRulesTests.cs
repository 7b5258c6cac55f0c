using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using static Cairn.Core.Tests.Membership.PoolScene;

namespace Cairn.Core.Tests.Membership;

/// <summary>When a checkpoint of a volume stands: once the last of all members has made the same.</summary>
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

    private static VouchCheckpoint Vouch(ulong depth, byte hash) => new(
        Volume(1), new MadeCheckpoint(depth, 3, new Bytes32([.. Enumerable.Repeat(hash, 32)]), default));

    private static ulong Depth(PoolScene scene) => scene.State.Checkpoints[Volume(1)].Checkpoint.Depth;
}
