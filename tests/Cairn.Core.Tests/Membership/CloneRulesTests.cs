using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using static Cairn.Core.Tests.Membership.PoolScene;

namespace Cairn.Core.Tests.Membership;

/// <summary>What the pool's log says of clones, whoever removes what apart.</summary>
public sealed class CloneRulesTests
{
    private static readonly Bytes16 First = new(Enumerable.Repeat((byte)0xA1, Bytes16.Size).ToArray());
    private static readonly Bytes16 Second = new(Enumerable.Repeat((byte)0xA2, Bytes16.Size).ToArray());
    private static readonly LogId Writer = new(MemberKit.Node(7), 1);

    private static PoolScene Founded()
    {
        PoolScene founder = new(1);
        founder.Do(Grant(1, MemberRole.Admin), Grant(2, MemberRole.Admin), Grant(3, MemberRole.Member));
        founder.Do(Create(1, "docs"));
        return founder;
    }

    [Fact]
    public void A_clone_holds_its_snapshot_and_keeps_its_origin_until_it_is_removed()
    {
        PoolScene founder = Founded();
        founder.Do(Clone(2, "test", Origin(1, First, 10)));
        Assert.True(Holds(founder, 1, First));
        Assert.False(Holds(founder, 1, Second));
        Assert.False(founder.State.Volumes[Volume(2)].IsComplete);
        Assert.Equal(["docs"], founder.State.CompleteVolumes.Select(volume => volume.Name));
        founder.Do(new CompleteClone(Volume(2)));
        Assert.True(founder.State.Volumes[Volume(2)].IsComplete);

        founder.Do(new RemoveVolume(Volume(1)), new RemoveVolume(Volume(2)));
        Assert.Equal(2, founder.State.LiveVolumes.Count());

        founder.Do(new RemoveClone(Volume(2), [new SeenLogs(Volume(1), Seen(20))]));
        Assert.Equal("docs", Assert.Single(founder.State.LiveVolumes).Name);
        Assert.False(Holds(founder, 1, First));

        // What came while it was held stays refused; what the remover had not seen is not.
        Assert.False(Refuses(founder, 10));
        Assert.True(Refuses(founder, 20));
        Assert.False(Refuses(founder, 21));
        founder.Do(new RemoveVolume(Volume(1)));
        Assert.Empty(founder.State.LiveVolumes);
    }

    /// <summary>Purged is said once every member has let go of it: nobody can have anything to bring back.</summary>
    [Fact]
    public void What_is_purged_was_removed_and_no_clone_brings_it_back()
    {
        PoolScene founder = Founded();
        founder.Do(new PurgeVolume(Volume(1)));
        Assert.False(founder.State.Volumes[Volume(1)].IsPurged);
        founder.Do(new RemoveVolume(Volume(1)));
        PoolScene member = new(3);
        member.MeetWith(founder);
        member.Do(new PurgeVolume(Volume(1)));
        Assert.False(member.State.Volumes[Volume(1)].IsPurged);
        founder.Do(new PurgeVolume(Volume(1)));
        founder.Do(Clone(2, "late", Origin(1, First, 10)));
        Assert.True(founder.State.Volumes[Volume(1)] is { IsRemoved: true, IsPurged: true });
        Assert.Empty(founder.State.LiveVolumes);
    }

    [Fact]
    public void A_snapshot_is_held_as_long_as_any_clone_needs_it()
    {
        PoolScene founder = Founded();
        founder.Do(Clone(2, "one", Origin(1, First, 10)), Clone(3, "two", Origin(1, First, 12)));
        founder.Do(new RemoveClone(Volume(2), [new SeenLogs(Volume(1), Seen(20))]));
        Assert.True(Holds(founder, 1, First));
        Assert.True(Refuses(founder, 21));
        founder.Do(new RemoveClone(Volume(3), [new SeenLogs(Volume(1), Seen(30))]));
        Assert.False(Holds(founder, 1, First));
    }

    [Fact]
    public void Only_admins_make_and_remove_clones_and_only_of_volumes_that_are_known()
    {
        PoolScene founder = Founded();
        founder.Do(Clone(2, "test", Origin(1, First, 10)), Clone(4, "none", Origin(9, First, 10)));
        PoolScene member = new(3);
        member.MeetWith(founder);
        member.Do(Clone(3, "mine", Origin(1, Second, 10)));
        member.Do(new CompleteClone(Volume(2)), new RemoveClone(Volume(2), []));
        Assert.Equal([Volume(1), Volume(2)], member.State.Volumes.Keys);
        Assert.False(member.State.Volumes[Volume(2)].IsComplete);
        Assert.True(Holds(member, 1, First));
    }

    [Fact]
    public void A_clone_brings_back_an_origin_that_was_removed_apart()
    {
        PoolScene founder = Founded();
        PoolScene other = new(2);
        other.MeetWith(founder);

        // Whichever of the two comes first in the order: the clone has what it needs.
        other.Do(new RemoveVolume(Volume(1)));
        other.Do(Create(5, "docs"));
        founder.Do(new PublishWeights(0, default));
        founder.Do(new PublishWeights(0, default));
        founder.Do(Clone(2, "test", Origin(1, First, 10)));
        founder.MeetWith(other);
        Assert.Equal(Names(founder), Names(other));
        Assert.Equal(["docs~01010101", "test", "docs"], Names(founder));
        Assert.True(Holds(other, 1, First));
    }

    [Fact]
    public void A_clone_of_a_clone_holds_all_that_both_need()
    {
        PoolScene founder = Founded();
        founder.Do(Clone(2, "one", Origin(1, First, 10)));
        PoolScene other = new(2);
        other.MeetWith(founder);

        // The first clone is removed apart: it comes back, with its own hold.
        other.Do(new RemoveClone(Volume(2), [new SeenLogs(Volume(1), Seen(10))]));
        founder.Do(new PublishWeights(0, default));
        founder.Do(Clone(3, "two", Origin(2, Second, 4), Origin(1, First, 11)));
        founder.MeetWith(other);
        Assert.Equal(3, other.State.LiveVolumes.Count());
        Assert.True(Holds(other, 2, Second));
        Assert.Equal(["one", "two"], other.State.ClonesOf(Volume(1)).Select(clone => clone.Name));
        other.Do(new RemoveClone(Volume(2), []));
        Assert.Equal(3, other.State.LiveVolumes.Count());

        other.Do(new RemoveClone(Volume(3), []));
        Assert.True(Holds(other, 1, First));
        other.Do(new RemoveClone(Volume(2), []));
        Assert.False(Holds(other, 1, First));
        Assert.Equal("docs", Assert.Single(other.State.LiveVolumes).Name);
    }

    private static CloneVolume Clone(int volume, string name, params CloneOrigin[] origins) =>
        new(Volume(volume), System.Text.Encoding.UTF8.GetBytes(name), [.. origins]);

    private static CloneOrigin Origin(int volume, Bytes16 snapshot, ulong seen) =>
        new(Volume(volume), snapshot, Seen(seen));

    private static LogPositions Seen(ulong last) => LogPositions.From([new(Writer, new LogPosition(1, last))]);

    private static IEnumerable<string> Names(PoolScene scene) => scene.State.LiveVolumes.Select(volume => volume.Name);

    private static bool Holds(PoolScene scene, int volume, Bytes16 snapshot) =>
        scene.State.RightsIn(Volume(volume)).Holds.IsHeld(snapshot);

    private static bool Refuses(PoolScene scene, ulong removal) =>
        scene.State.RightsIn(Volume(1)).Holds.Refuse(First, new TransactionId(Writer, removal));
}
