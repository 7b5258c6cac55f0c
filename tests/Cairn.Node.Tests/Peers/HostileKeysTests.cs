using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Node.Tests.Peers;

/// <summary>A member that grants keys which are none: it chooses its place in the order, and could lock all others out.</summary>
public sealed class HostileKeysTests
{
    private readonly PoolBench _bench = PoolBench.Of(2, 611);

    private BenchNode Admin => _bench.Nodes[0];

    private BenchNode Other => _bench.Nodes[1];

    [Fact]
    public void A_members_grant_that_comes_first_in_the_order_does_not_stand_in_the_place_of_an_admins()
    {
        HostileMember hostile = HostileMember.Join(_bench, Admin);
        Do(hostile.Read);
        Make("other");
        Make("scrap");
        KeyGrant[] grants = [.. Admin.Node.State.Keys.Where(grant => grant.Volume.Value != hostile.Pool.Value)];
        Assert.Equal(16, grants.Length);
        Do(() => hostile.Say([.. grants.Select(grant => new GrantKey(
            grant.Volume, grant.Epoch, grant.Recipient, new byte[grant.Wrapped.Length]))]));
        _bench.Scheduler.RunFor(TimeSpan.FromSeconds(20));
        foreach (BenchNode node in new[] { Admin, Other })
        {
            node.Kill();
            node.Start();
            _bench.Until(() => node.Status().Volumes.Count(volume => volume.HasKeys) == 2, "open again");
        }

        Assert.Equal(
            grants.Select(grant => (grant.Volume, grant.Epoch, grant.Recipient, grant.Granter)),
            Admin.Node.State.Keys.Where(grant => grant.Volume.Value != hostile.Pool.Value)
                .Select(grant => (grant.Volume, grant.Epoch, grant.Recipient, grant.Granter)));
    }

    [Fact]
    public void An_epoch_that_a_member_made_with_another_key_for_each_is_written_under_by_nobody()
    {
        HostileMember hostile = HostileMember.Join(_bench, Admin);
        Make("scrap");
        Do(hostile.Read);
        VolumeId scrap = Admin.Node.State.LiveVolumes.Single().Volume;
        EpochId before = Admin.Volume.Keyring.Current.Id;
        EpochId smallest = new([.. new byte[15], 1]);
        Do(() => hostile.Say(
        [
            .. Keys(hostile, scrap, smallest), .. Keys(hostile, hostile.PoolVolume, smallest),
        ]));
        _bench.Until(
            () => Other.Node.State.Keys.Any(grant => grant.Epoch == smallest), "the made up epoch is known");
        _bench.Scheduler.RunFor(TimeSpan.FromSeconds(20));
        Assert.All(_bench.Nodes.Take(2), node => Assert.Equal(before, node.Volume.Keyring.Current.Id));

        // What an admin says from now on, such as that it revokes that member, is read by all others.
        Make("later");
    }

    [Fact]
    public void Weights_of_the_highest_version_are_not_the_last()
    {
        HostileMember hostile = HostileMember.Join(_bench, Admin);
        Do(hostile.Read);
        ulong version = Admin.Node.State.WeightsVersion;
        byte[] weights = Cairn.Core.Placement.PlacementWeightsCodec.Encode(Cairn.Core.Placement.PlacementWeights.None);
        Do(() => hostile.Say(new PublishWeights(ulong.MaxValue, weights)));
        _bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.InRange(Admin.Node.State.WeightsVersion, version, version + 100);
    }

    private IEnumerable<Primitive> Keys(HostileMember hostile, VolumeId volume, EpochId epoch) =>
        Admin.Node.State.Members.Values.Where(member => member.Node == Admin.Id || member.Node == Other.Id)
            .Select(member => hostile.Wrap(member, volume, epoch, _bench.Bytes(32)));

    private void Make(string volume)
    {
        _bench.Ok(Admin, () => Admin.Node.CreateVolume(volume, default).AsTask());
        _bench.Until(() => Other.FindVolume(volume) is { HasKeys: true }, $"{volume} is everywhere");
    }

    private void Do(Func<Task> work) => _bench.Do(_bench.Nodes[2], async () =>
    {
        await work();
        return 0;
    });
}
