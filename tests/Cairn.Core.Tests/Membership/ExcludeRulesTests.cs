using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

/// <summary>Members that were forgotten, obeyed or not: who said so in earnest stays known.</summary>
public sealed class ExcludeRulesTests
{
    private readonly PoolScene _first = new(1);
    private readonly PoolScene _second = new(2);

    public ExcludeRulesTests()
    {
        _first.Do(PoolScene.Grant(1, MemberRole.Admin));
        _first.Do(
            PoolScene.Grant(2, MemberRole.Admin), PoolScene.Grant(3, MemberRole.Admin),
            PoolScene.Grant(4, MemberRole.Member));
        _second.MeetWith(_first);
    }

    [Fact]
    public void Of_two_admins_that_forgot_each_other_one_is_obeyed_and_both_are_known()
    {
        _first.Do(new Exclude(MemberKit.Node(2), true), new Exclude(MemberKit.Node(4), true));
        TransactionId byFirst = _first.History[^1].Id;
        _second.Do(new Exclude(MemberKit.Node(1), true), new Exclude(MemberKit.Node(3), true));
        TransactionId bySecond = _second.History[^1].Id;
        Assert.Equal([byFirst], _first.State.ForgottenBy(MemberKit.Node(2)));
        _first.MeetWith(_second);
        Assert.NotEqual(_first.StandingOf(1), _first.StandingOf(2));
        foreach (PoolState state in new[] { _first.State, _second.State, _first.WholeState, _second.WholeState })
        {
            Assert.Equal([byFirst], state.ForgottenBy(MemberKit.Node(2)));
            Assert.Equal([byFirst], state.ForgottenBy(MemberKit.Node(4)));
            Assert.Equal([bySecond], state.ForgottenBy(MemberKit.Node(1)));
            Assert.Equal([bySecond], state.ForgottenBy(MemberKit.Node(3)));
        }
    }

    /// <summary>One took it back who had not heard that another had forgotten it, too.</summary>
    [Fact]
    public void Who_is_back_with_one_part_was_forgotten_by_the_other_all_the_same()
    {
        _first.Do(new Exclude(MemberKit.Node(3), true));
        _second.Do(new Exclude(MemberKit.Node(3), true));
        _first.Do(new Exclude(MemberKit.Node(3), false));
        _first.MeetWith(_second);
        Assert.Equal(MemberStanding.Active, _first.StandingOf(3));
        Assert.Equal(2, _first.State.ForgottenBy(MemberKit.Node(3)).Length);
        Assert.Equal(_first.State.ForgottenBy(MemberKit.Node(3)), _second.State.ForgottenBy(MemberKit.Node(3)));
    }

    [Fact]
    public void A_word_that_its_author_may_not_say_or_that_says_nothing_is_not_known()
    {
        PoolScene member = new(4);
        member.MeetWith(_first);
        member.Do(new Exclude(MemberKit.Node(1), true));
        member.Do(new Exclude(MemberKit.Node(4), true));
        _second.MeetWith(member);
        _second.Do(new Exclude(MemberKit.Node(9), true), new Exclude(MemberKit.Node(3), false));
        _second.Do(new Exclude(MemberKit.Node(4), true));
        Assert.Equal(MemberStanding.Active, _second.StandingOf(1));
        Assert.Empty(_second.State.Forgettings);
        _second.Do(new Exclude(MemberKit.Node(3), true));
        _second.Do(new Exclude(MemberKit.Node(3), true));
        Assert.Single(_second.State.ForgottenBy(MemberKit.Node(3)));
    }
}
