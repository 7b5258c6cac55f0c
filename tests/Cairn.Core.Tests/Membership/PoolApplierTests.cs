using System.Security.Cryptography;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using static Cairn.Core.Tests.Membership.PoolScene;

namespace Cairn.Core.Tests.Membership;

public sealed class PoolApplierTests
{
    [Fact]
    public void An_admin_says_who_uses_a_machine_and_the_last_word_stands_everywhere()
    {
        PoolScene founder = new(1);
        founder.Do(
            PoolScene.Grant(1, MemberRole.Admin), PoolScene.Grant(2, MemberRole.Admin),
            PoolScene.Grant(3, MemberRole.Member));
        PoolScene other = new(2);
        PoolScene member = new(3);
        founder.MeetWith(other);
        founder.MeetWith(member);
        member.Do(new AssignUser(MemberKit.Node(3), "mallory"u8.ToArray()));
        founder.Do(
            new AssignUser(MemberKit.Node(2), "anna"u8.ToArray()), new AssignUser(MemberKit.Node(9), "x"u8.ToArray()));
        other.Do(new AssignUser(MemberKit.Node(3), "ben"u8.ToArray()));
        founder.Do(new AssignUser(MemberKit.Node(3), "anna"u8.ToArray()));
        founder.MeetWith(member);
        other.MeetWith(member);
        founder.MeetWith(other);
        Assert.Equal("anna", founder.State.Users[MemberKit.Node(2)]);
        Assert.Equal(2, founder.State.Users.Count);
        Assert.Equal(founder.State.Users, other.State.Users);
        Assert.Equal(founder.State.Users, member.State.Users);

        founder.Do(new AssignUser(MemberKit.Node(3), default));
        Assert.DoesNotContain(MemberKit.Node(3), founder.State.Users.Keys);
    }

    [Fact]
    public void What_did_not_change_is_not_read_again()
    {
        PoolScene founder = Founded();
        PoolState before = founder.State;
        founder.Do(Create(1, "docs"));
        PoolState after = founder.State;
        Assert.Same(before.Members, after.Members);
        Assert.True(after.HasRightsOf(before));
        Assert.Equal(founder.WholeState.Volumes.Keys, after.Volumes.Keys);

        founder.Do(Grant(2, MemberRole.Member), new LimitMember(MemberKit.Node(2), MayWrite: false, []));
        Assert.Equal(founder.WholeState.Members.Keys, founder.State.Members.Keys);
        Assert.Equal(founder.WholeState.MemberLimits.Keys, founder.State.MemberLimits.Keys);
        Assert.False(founder.State.HasRightsOf(after));
    }

    private static PoolScene Founded()
    {
        PoolScene founder = new(1);
        founder.Do(Grant(1, MemberRole.Admin), Grant(9, MemberRole.Recovery));
        return founder;
    }

    [Fact]
    public void The_first_key_founds_the_pool_and_grants_others()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member), Grant(3, MemberRole.Admin));
        Assert.Equal(
            [MemberRole.Admin, MemberRole.Member, MemberRole.Admin, MemberRole.Recovery],
            new[] { 1, 2, 3, 9 }.Select(member => founder.State.Members[MemberKit.Node(member)].Role));
        Assert.Equal(3, founder.State.ActiveNodes.Count());
        Assert.True(founder.State.IsActive(MemberKit.Node(9)));
    }

    [Fact]
    public void Members_strangers_and_wrong_keys_change_nothing()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member));
        PoolScene member = new(2);
        member.MeetWith(founder);
        member.Do(Grant(4, MemberRole.Member));
        member.Do(Grant(2, MemberRole.Admin));
        member.Do(Revoke(1));
        member.Do(new Exclude(MemberKit.Node(1), true));
        PoolScene stranger = new(5);
        stranger.MeetWith(founder);
        stranger.Do(Grant(5, MemberRole.Admin), Create(1, "mine"));
        founder.Do(Grant(6, MemberRole.Member) with { PublicKey = MemberKit.Key(7).ToArray() });
        member.MeetWith(founder);
        stranger.MeetWith(founder);
        Assert.Equal(3, founder.State.Members.Count);
        Assert.Equal(MemberStanding.Active, founder.StandingOf(1));
        Assert.Equal(MemberRole.Member, founder.State.Members[MemberKit.Node(2)].Role);
        Assert.Empty(founder.State.Volumes);
    }

    [Fact]
    public void Only_admins_make_and_remove_volumes()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member), Create(1, "docs"));
        PoolScene member = new(2);
        member.MeetWith(founder);
        member.Do(Create(2, "mine"));
        member.Do(new RemoveVolume(Volume(1)));
        member.Do(new RenameVolume(Volume(1), "other"u8.ToArray()));
        Assert.Equal("docs", Assert.Single(member.State.LiveVolumes).Name);
        founder.MeetWith(member);
        founder.Do(Grant(2, MemberRole.Admin));
        member.MeetWith(founder);
        member.Do(Create(2, "mine"));
        Assert.Equal(2, member.State.LiveVolumes.Count());
    }

    [Fact]
    public void A_volume_is_as_old_as_its_maker_said()
    {
        PoolScene founder = Founded();
        founder.Clock = new WallTime(7);
        founder.Do(Create(1, "docs"));
        founder.Clock = new WallTime(8);
        founder.Do(new RenameVolume(Volume(1), "other"u8.ToArray()));
        founder.Do(Create(1, "again"));
        Assert.Equal(new WallTime(7), founder.State.Volumes[Volume(1)].Created);
        Assert.Equal(new WallTime(7), founder.WholeState.Volumes[Volume(1)].Created);
    }

    [Fact]
    public void Admins_limit_members_and_the_last_word_holds_for_what_they_had_not_seen()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member), Create(1, "docs"));
        NodeId member = MemberKit.Node(2);
        LogPositions seen = LogPositions.From([new(new LogId(member, 1), new LogPosition(1, 5))]);
        founder.Do(new LimitMember(member, false, [new SeenLogs(Volume(1), seen)]));
        PoolScene limited = new(2);
        limited.MeetWith(founder);
        limited.Do(new LimitMember(member, true, []), new LimitMember(MemberKit.Node(1), false, []));
        founder.MeetWith(limited);
        Assert.False(founder.State.MayWrite(member));
        Assert.True(founder.State.MayWrite(MemberKit.Node(1)));
        Assert.Equal(new(false, seen), Assert.Single(founder.State.RightsIn(Volume(1)).Of(member)));
        Assert.Equal(new(false, LogPositions.Empty), Assert.Single(founder.State.RightsIn(Volume(2)).Of(member)));

        founder.Do(new LimitMember(MemberKit.Node(5), false, []), new LimitMember(member, true, []));
        Assert.True(founder.State.MayWrite(member));
        Assert.Equal([false, true], founder.State.RightsIn(Volume(1)).Of(member).Select(limit => limit.MayWrite));
        Assert.Single(founder.State.MemberLimits);
    }

    [Fact]
    public void Admins_say_who_edits_a_volume()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member), Grant(3, MemberRole.Member), Create(1, "docs"));
        NodeId writer = MemberKit.Node(2);
        founder.Do(new LimitVolume(Volume(1), [writer], LogPositions.Empty));
        PoolScene other = new(3);
        other.MeetWith(founder);
        other.Do(new LimitVolume(Volume(1), null, LogPositions.Empty));
        founder.MeetWith(other);
        founder.Do(new LimitVolume(Volume(2), [], LogPositions.Empty));
        Assert.Equal([writer], founder.State.WritersOf(Volume(1))!.Value);
        Assert.True(founder.State.RightsIn(Volume(1)).MayWrite(writer));
        Assert.False(founder.State.RightsIn(Volume(1)).MayWrite(MemberKit.Node(3)));
        Assert.Null(founder.State.WritersOf(Volume(2)));
        Assert.True(founder.State.RightsIn(Volume(2)).IsEmpty);
    }

    [Fact]
    public void Admins_renew_and_replace_the_marks_of_folders_by_marks_of_their_own()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Admin), Grant(3, MemberRole.Member), Create(1, "docs"));
        (PoolScene second, PoolScene member) = (new(2), new(3));
        second.MeetWith(founder);
        TransactionId lost = new(founder.Log, 9);
        founder.Do(new LimitFolder(
            Volume(1), new ObjectId(Volume(7).Value), FolderAccess.Only, [], LogPositions.Empty, lost));
        founder.Do(new RenewMark(Volume(1), LogPositions.Empty, new TransactionId(founder.Log, 10), []));
        member.MeetWith(founder);
        member.Do(new ReplaceMark(Volume(1), lost, new TransactionId(member.Log, 1)));
        member.Do(new RenewMark(Volume(1), LogPositions.Empty, new TransactionId(member.Log, 1), []));
        second.MeetWith(member);
        second.Do(new ReplaceMark(Volume(1), lost, new TransactionId(founder.Log, 11)));
        Assert.Equal([lost, new(founder.Log, 10)], second.State.RightsIn(Volume(1)).Folders.Marks);

        TransactionId other = new(second.Log, 5);
        second.Do(new ReplaceMark(Volume(1), lost, other));
        second.Do(new RenewMark(
            Volume(1), LogPositions.Empty, new TransactionId(second.Log, 6), [new(founder.Log, 10)]));
        founder.MeetWith(second);
        Assert.Equal([other, new(second.Log, 6)], founder.State.RightsIn(Volume(1)).Folders.Marks);
    }

    [Fact]
    public void The_recovery_key_is_an_admin_for_ever()
    {
        PoolScene founder = Founded();
        founder.Do(Revoke(9), new Exclude(MemberKit.Node(9), true), Grant(9, MemberRole.Member));
        Member recovery = founder.State.Members[MemberKit.Node(9)];
        Assert.Equal((MemberRole.Recovery, MemberStanding.Active), (recovery.Role, recovery.Standing));
    }

    [Fact]
    public void Any_member_lets_the_holder_of_the_recovery_key_in_once()
    {
        using ECDsa kit = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] key = kit.ExportSubjectPublicKeyInfo();
        PoolScene founder = Founded();
        founder.Do(
            Grant(2, MemberRole.Member),
            new GrantMember(Signatures.NodeOf(key), (byte)MemberRole.Recovery, key, "kit"u8.ToArray()));
        PoolScene member = new(2);
        member.MeetWith(founder);
        RecoverMember Recover(int newcomer, int host) => new(
            MemberKit.Node(newcomer), MemberKit.Key(newcomer).ToArray(), "new"u8.ToArray(), Signatures.NodeOf(key),
            kit.SignData(
                PoolApplier.RecoverySigned(default, MemberKit.Key(host).AsSpan(), MemberKit.Key(newcomer).AsSpan()),
                HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));

        member.Do(Recover(5, host: 1));
        Assert.False(member.State.IsActive(MemberKit.Node(5)));
        member.Do(Recover(5, host: 2));
        Assert.Equal(MemberRole.Admin, member.State.Members[MemberKit.Node(5)].Role);

        // What was said once cannot be said again to bring a revoked one back.
        founder.MeetWith(member);
        founder.Do(Revoke(5));
        member.MeetWith(founder);
        member.Do(Recover(5, host: 2));
        Assert.False(member.State.IsActive(MemberKit.Node(5)));
    }

    [Fact]
    public void A_member_renames_itself_and_an_admin_anybody()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member));
        PoolScene member = new(2);
        member.MeetWith(founder);
        member.Do(Grant(2, MemberRole.Member, "laptop"));
        Assert.Equal("laptop", member.State.Members[MemberKit.Node(2)].Name);
    }

    [Fact]
    public void A_revoked_member_is_accepted_up_to_the_cut_of_each_log()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member));
        founder.Do(Revoke(2, new AcceptedTail(Volume(7), 1, 12), new AcceptedTail(Volume(7), 2, 3)));
        PoolState state = founder.State;
        LogId first = new(MemberKit.Node(2), 1);
        Assert.True(state.Accepts(Volume(7), first, 12));
        Assert.False(state.Accepts(Volume(7), first, 13));
        Assert.True(state.Accepts(Volume(7), first with { Incarnation = 2 }, 3));
        Assert.False(state.Accepts(Volume(7), first with { Incarnation = 3 }, 1));
        Assert.False(state.Accepts(Volume(8), first, 1));
        Assert.True(state.Accepts(Volume(8), founder.Log, 99));
        Assert.False(state.Accepts(Volume(8), new LogId(MemberKit.Node(50), 1), 1));
        founder.Do(Grant(2, MemberRole.Member));
        Assert.True(founder.State.Accepts(Volume(8), first, 13));
    }

    /// <summary>
    /// DESIGN, Members: mutual revocation suspends both until a third admin or the recovery kit decides.
    /// </summary>
    [Fact]
    public void Mutual_revocation_suspends_both_and_a_third_decides_wherever_it_is_seen_first()
    {
        foreach (int third in new[] { 3, 9 })
        {
            PoolScene one = Founded();
            one.Do(Grant(2, MemberRole.Admin), Grant(3, MemberRole.Admin));
            PoolScene two = new(2);
            PoolScene decider = new(third);
            two.MeetWith(one);
            one.Do(Revoke(2));
            two.Do(Revoke(1));
            decider.MeetWith(two);
            one.MeetWith(two);
            decider.MeetWith(one);
            foreach (PoolScene scene in new[] { one, two, decider })
            {
                Assert.Equal(MemberStanding.Suspended, scene.StandingOf(1));
                Assert.Equal(MemberStanding.Suspended, scene.StandingOf(2));
                Assert.Equal(one.State.Members.Values.Select(m => m.Standing),
                    scene.State.Members.Values.Select(m => m.Standing));
            }

            one.Do(Grant(4, MemberRole.Member));
            Assert.False(one.State.Members.ContainsKey(MemberKit.Node(4)));
            decider.Do(Grant(1, MemberRole.Admin));
            one.MeetWith(decider);
            Assert.Equal(MemberStanding.Active, one.StandingOf(1));
            Assert.Equal(MemberStanding.Suspended, one.StandingOf(2));
        }
    }

    [Fact]
    public void Forgetting_and_leaving_can_be_taken_back_by_an_admin()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member), new Exclude(MemberKit.Node(2), true));
        Assert.Equal(MemberStanding.Forgotten, founder.StandingOf(2));
        Assert.DoesNotContain(founder.State.ActiveNodes, member => member.Node == MemberKit.Node(2));
        Assert.True(founder.State.Accepts(Volume(1), new LogId(MemberKit.Node(2), 1), 5));
        founder.Do(new Exclude(MemberKit.Node(2), false));
        PoolScene member = new(2);
        member.MeetWith(founder);
        Assert.Empty(member.State.Forgotten);
        member.Do(new Exclude(MemberKit.Node(2), true));
        Assert.Equal(MemberStanding.Forgotten, member.StandingOf(2));
    }

    /// <summary>Who is forgotten may come back; who left is out, whoever said it first, until it is granted a place anew.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_left_by_its_own_will_stays_out(bool isForgottenBefore)
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member), Grant(3, MemberRole.Member));
        PoolScene member = new(2);
        member.MeetWith(founder);
        founder.Do(new Exclude(MemberKit.Node(3), true));
        if (isForgottenBefore)
        {
            founder.Do(new Exclude(MemberKit.Node(2), true));
            member.MeetWith(founder);
            Assert.Equal(2, founder.State.Forgotten.Count());
        }

        member.Do(new Exclude(MemberKit.Node(2), true));
        founder.MeetWith(member);
        founder.Do(new Exclude(MemberKit.Node(2), true), new Exclude(MemberKit.Node(2), false));
        Assert.True(founder.State.Members[MemberKit.Node(2)] is { HasLeft: true, MayReturn: false });
        Assert.Equal(MemberStanding.Forgotten, founder.StandingOf(2));
        Assert.Equal(MemberKit.Node(3), Assert.Single(founder.State.Forgotten).Node);

        founder.Do(Grant(2, MemberRole.Member));
        Assert.True(founder.State.Members[MemberKit.Node(2)] is { HasLeft: false, IsActiveNode: true });
        founder.Do(new Exclude(MemberKit.Node(2), true));
        Assert.Equal(2, founder.State.Forgotten.Count());
    }

    [Fact]
    public void Volumes_are_named_apart_even_when_made_at_once()
    {
        PoolScene one = Founded();
        one.Do(Grant(2, MemberRole.Admin));
        PoolScene two = new(2);
        two.MeetWith(one);
        one.Do(Create(1, "photos"));
        two.Do(Create(2, "photos"));
        one.MeetWith(two);
        Assert.Equal(one.State.Volumes.Values.Select(v => v.Name), two.State.Volumes.Values.Select(v => v.Name));
        Assert.True(one.State.TryFindVolume("photos", out PoolVolume? first));
        string other = first!.Volume == Volume(1) ? "photos~02020202" : "photos~01010101";
        Assert.True(one.State.TryFindVolume(other, out PoolVolume? second));
        two.Do(new RenameVolume(Volume(2), Encoding.UTF8.GetBytes("pictures")));
        Assert.True(two.State.TryFindVolume("pictures", out _));
        one.Do(new RemoveVolume(Volume(1)));
        Assert.Single(one.State.LiveVolumes);
        one.Do(Create(3, "no\uFFFD"), new CreateVolume(Volume(4), new byte[] { 0xFF }, default));
        Assert.False(one.State.Volumes.ContainsKey(Volume(4)));
    }

    [Fact]
    public void An_admins_key_stands_wherever_a_member_puts_another_in_the_order()
    {
        PoolScene founder = Founded();
        founder.Do(Grant(2, MemberRole.Member), Grant(3, MemberRole.Member));
        PoolScene early = new(2);
        early.MeetWith(founder);
        founder.Do(Create(7, "other"));
        EpochId epoch = new(new byte[16]);
        founder.Do(Create(1, "docs"), new GrantKey(Volume(1), epoch, MemberKit.Node(3), new byte[] { 1 }));

        // As if nothing of that had been seen: first in the order.
        early.Do(new GrantKey(Volume(1), epoch, MemberKit.Node(3), new byte[] { 2 }));
        Assert.Equal(MemberKit.Node(2), Assert.Single(early.State.Keys).Granter);
        early.MeetWith(founder);
        early.Do(new GrantKey(Volume(1), epoch, MemberKit.Node(3), new byte[] { 4 }));
        founder.MeetWith(early);
        Assert.All([founder, early], scene =>
        {
            KeyGrant stands = Assert.Single(scene.State.Keys);
            Assert.Equal((MemberKit.Node(1), 1), (stands.Granter, stands.Wrapped[0]));
        });
    }

    [Fact]
    public void No_weights_are_so_high_that_none_can_follow()
    {
        PoolScene founder = Founded();
        founder.Do(new PublishWeights(ulong.MaxValue, PlacementWeightsCodec.Encode(PlacementWeights.None)));
        Assert.Equal(0UL, founder.State.WeightsVersion);
    }

    [Fact]
    public void The_first_wrapped_key_stands_and_weights_grow_by_version()
    {
        PoolScene founder = Founded();
        EpochId epoch = new(new byte[16]);
        founder.Do(new GrantKey(Volume(1), epoch, MemberKit.Node(9), new byte[] { 1, 2 }));
        founder.Do(new GrantKey(Volume(1), epoch, MemberKit.Node(9), new byte[] { 3 }));
        founder.Do(new GrantKey(Volume(1), epoch, MemberKit.Node(8), new byte[] { 3 }));
        KeyGrant grant = Assert.Single(founder.State.Keys);
        Assert.Equal([1, 2], grant.Wrapped);
        Assert.Equal(MemberKit.Node(1), grant.Granter);
        PlacementWeights weights = new([new NodeWeight(MemberKit.Node(1), 5, 77)]);
        byte[] bytes = PlacementWeightsCodec.Encode(weights);
        founder.Do(new PublishWeights(2, bytes));
        founder.Do(new PublishWeights(1, PlacementWeightsCodec.Encode(PlacementWeights.None)));
        founder.Do(new PublishWeights(3, new byte[] { 9 }));
        Assert.Equal(weights, founder.State.Weights);
        Assert.Equal(2UL, founder.State.WeightsVersion);
    }

    [Fact]
    public void Every_order_of_arrival_gives_the_same_pool()
    {
        for (ulong seed = 1; seed <= 60; seed++)
        {
            Prng prng = new(seed);
            PoolScene founder = Founded();
            founder.Do(Grant(2, MemberRole.Admin), Grant(3, MemberRole.Admin), Grant(4, MemberRole.Member));
            PoolScene[] scenes = [founder, new(2), new(3), new(4)];
            foreach (PoolScene scene in scenes.Skip(1))
            {
                scene.MeetWith(founder);
            }

            for (int step = 0; step < 40; step++)
            {
                PoolScene scene = scenes[prng.Next(4)];
                int target = 1 + prng.Next(5);
                switch (prng.Next(7))
                {
                    case 0:
                        scene.Do(Revoke(target));
                        break;
                    case 1:
                        scene.Do(Grant(target, (MemberRole)prng.Next(2)));
                        break;
                    case 2:
                        scene.Do(new Exclude(MemberKit.Node(target), prng.Chance(2)));
                        break;
                    case 3:
                        scene.Do(Create(step + 10, $"v{prng.Next(3)}"));
                        break;
                    case 4:
                        scene.Do(new RemoveVolume(Volume(10 + prng.Next(40))));
                        break;
                    default:
                        scene.MeetWith(scenes[prng.Next(4)]);
                        break;
                }
            }

            foreach (PoolScene scene in scenes.Concat(scenes))
            {
                scene.MeetWith(founder);
            }

            string expected = Describe(founder.State);
            PoolScene late = new(8);
            foreach (Transaction transaction in founder.History.OrderBy(_ => prng.NextUInt64()))
            {
                late.Take(transaction);
            }

            Assert.All(scenes.Append(late), scene => Assert.Equal(expected, Describe(scene.State)));
        }
    }

    private static string Describe(PoolState state) =>
        string.Join('\n', state.Members.Values.Select(m => $"{m.Node.Short} {m.Name} {m.Role} {m.Standing}"))
        + string.Join('\n', state.Volumes.Values.Select(v => $"{v.Volume} {v.Name} {v.IsRemoved}"));
}
