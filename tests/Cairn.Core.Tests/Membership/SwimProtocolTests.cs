using System.Buffers;
using Cairn.Core.Membership;
using Cairn.Core.Membership.Swim;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

public sealed class SwimProtocolTests
{
    public static TheoryData<int, ulong> PoolsAndSeeds()
    {
        TheoryData<int, ulong> data = [];
        foreach (int count in new[] { 2, 3, 4, 8, 20 })
        {
            for (ulong seed = 1; seed <= 5; seed++)
            {
                data.Add(count, seed);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(PoolsAndSeeds))]
    public void A_starting_pool_finds_itself_within_a_second(int count, ulong seed)
    {
        SwimNetwork network = new(count, seed);
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 1000));
        network.Changes.Clear();
        network.Run(60_000);
        Assert.Empty(network.Changes);
        Assert.Equal(0, network.BadCount);
    }

    [Theory]
    [MemberData(nameof(PoolsAndSeeds))]
    public void A_killed_node_is_found_by_all_and_comes_back_quickly(int count, ulong seed)
    {
        SwimNetwork network = new(count, seed);
        network.Run(5000);
        network.Kill(1);
        long killedMs = network.NowMs;
        Assert.True(network.RunUntil(() => network.AllRunningSeeDead(1), 40_000));
        Assert.True(count > 4 || network.NowMs - killedMs <= 8000 + (count * 1000), $"{network.NowMs - killedMs} ms");
        network.Start(1);
        long startedMs = network.NowMs;
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 5000));
        Assert.True(network.NowMs - startedMs <= 3000, $"{network.NowMs - startedMs} ms");
        Assert.DoesNotContain(network.Changes, change => change.About != 1 && change.Status == Liveness.Dead);
    }

    /// <summary>However many the others are: to call each of them dead takes a cut-off node minutes.</summary>
    [Theory]
    [MemberData(nameof(PoolsAndSeeds))]
    public void A_node_that_is_cut_off_knows_it_within_seconds_and_the_others_do_not_believe_it_of_themselves(
        int count, ulong seed)
    {
        SwimNetwork network = new(count, seed) { LossPermille = 50 };
        network.Run(20_000);
        for (int i = 0; i < 600; i++)
        {
            network.Run(100);
            Assert.True(count == 2 || !network[0].HearsNobody, $"after {i * 100} ms");
        }

        network.Passes = (from, to) => from != 0 && to != 0;
        network.Run(16_000);
        Assert.True(network[0].HearsNobody);
        Assert.True(count < 4 || !network[1].HearsNobody);
        network.Passes = static (_, _) => true;
        Assert.True(network.RunUntil(() => !network[0].HearsNobody, 10_000));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 40)]
    [InlineData(5000)]
    public void A_made_up_incarnation_is_not_the_last_word_about_a_member(long madeUp)
    {
        SwimNetwork network = new(5, 77);
        network.Run(5000);
        ArrayBufferWriter<byte> lie = new();
        SwimUpdate dead = new(Liveness.Dead, network.Id(1), (ulong)madeUp, default);
        new SwimMessage(SwimMessageKind.Gossip, 0, default, [dead]).Write(lie);
        for (int i = 0; i < 20; i++)
        {
            foreach (int told in new[] { 0, 1, 2, 3 })
            {
                network.Step(told, SwimInput.Message(network.Id(4), lie.WrittenMemory, network.NowMs));
            }

            network.Run(1000);
        }

        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 10_000));
        Assert.Equal(0, network.BadCount);
        Assert.InRange(network[1].Incarnation, 0UL, 1024UL);
        network.Kill(1);
        network.Run(30_000);
        network.Start(1);
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 10_000));
    }

    [Fact]
    public void Who_refuted_thousands_of_doubts_and_began_anew_is_believed_again()
    {
        SwimNetwork network = new(4, 78);
        network.Run(5000);
        while (network[1].Incarnation < 5000)
        {
            ArrayBufferWriter<byte> doubt = new();
            SwimUpdate dead = new(Liveness.Dead, network.Id(1), network[1].Incarnation + 1000, default);
            new SwimMessage(SwimMessageKind.Gossip, 0, default, [dead]).Write(doubt);
            network.Step(1, SwimInput.Message(network.Id(3), doubt.WrittenMemory, network.NowMs));
            network.Run(2000);
        }

        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 10_000));
        network.Kill(1);
        network.Run(30_000);
        network.Start(1);
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 30_000));
        network.Changes.Clear();
        network.Run(60_000);
        Assert.Empty(network.Changes);
    }

    [Theory]
    [MemberData(nameof(PoolsAndSeeds))]
    public void Loss_delay_and_doubles_kill_nobody(int count, ulong seed)
    {
        SwimNetwork network = new(count, seed) { LossPermille = 50, DelayMsMax = 150, DoubledPermille = 100 };
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 10_000));
        network.Run(120_000);
        Assert.DoesNotContain(network.Changes, change => change.Status == Liveness.Dead);
        network.LossPermille = 0;
        network.DelayMsMax = 10;
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 20_000));
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(4, 2)]
    [InlineData(9, 3)]
    [InlineData(20, 4)]
    public void A_split_pool_sees_two_halves_and_heals(int count, ulong seed)
    {
        SwimNetwork network = new(count, seed);
        network.Run(3000);
        network.Passes = (from, to) => from % 2 == to % 2;
        Assert.True(network.RunUntil(
            () => network.AllRunning((by, about) =>
                network.View(by, about) == (by % 2 == about % 2 ? Liveness.Alive : Liveness.Dead)), 120_000));
        network.Passes = (_, _) => true;
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 30_000));
    }

    /// <summary>
    /// SWIM, section 3.1: the indirect probe is what keeps a bad path between two nodes from being a failure.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_path_cut_one_way_or_both_ways_between_two_nodes_kills_nobody(ulong seed)
    {
        SwimNetwork network = new(5, seed);
        network.Run(3000);
        network.Passes = (from, to) => (from, to) is not (0, 1);
        network.Run(60_000);
        network.Passes = (from, to) => (from, to) is not ((0, 1) or (1, 0));
        network.Run(60_000);
        Assert.DoesNotContain(network.Changes, change => change.Status == Liveness.Dead);
    }

    /// <summary>Lifeguard: a node that hears nobody doubts itself first.</summary>
    [Fact]
    public void A_node_that_hears_nothing_loses_health_and_others_stay_well()
    {
        SwimNetwork network = new(6, 7);
        network.Run(3000);
        network.Passes = (_, to) => to != 0;
        network.Run(10_000);
        Assert.True(network[0].Health >= 3, $"health {network[0].Health}");
        Assert.All(Enumerable.Range(1, 5), node => Assert.True(network[node].Health <= 2));
        network.Passes = (_, _) => true;
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 30_000));
        Assert.True(network.RunUntil(() => network[0].Health == 0, 120_000));
    }

    [Fact]
    public void A_clean_stop_is_known_at_once()
    {
        SwimNetwork network = new(4, 9);
        network.Run(3000);
        network.Step(2, SwimInput.Leave(network.NowMs));
        network.Run(100);
        network.Kill(2);
        Assert.True(network.AllRunningSeeDead(2));
        network.Start(2);
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 3000));
    }

    [Fact]
    public void A_restart_that_forgot_its_incarnation_overtakes_the_old_one()
    {
        SwimNetwork network = new(3, 4);
        network.Run(3000);
        for (int i = 0; i < 3; i++)
        {
            network.Kill(1);
            Assert.True(network.RunUntil(() => network.AllRunningSeeDead(1), 40_000));
            network.Start(1);
            Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 5000));
        }

        Assert.Equal(3UL, network[1].Incarnation);
    }

    [Fact]
    public void Messages_fit_their_datagram_when_everything_is_news()
    {
        SwimNetwork network = new(120, 3);
        network.Run(5000);
        Assert.True(network.AllRunningSeeEachOtherAlive());
        network.Passes = (from, to) => from % 2 == to % 2;
        network.Run(20_000);
        Assert.InRange(network.BytesLongest, 900, SwimOptions.Default.MessageBytesMax);
    }

    [Fact]
    public void An_idle_pool_costs_a_few_datagrams_a_second()
    {
        SwimNetwork network = new(20, 3);
        network.Run(20_000);
        long before = network.SentCount;
        network.Run(60_000);
        Assert.InRange((network.SentCount - before) / (20.0 * 60), 0.5, 3);
    }

    [Fact]
    public void An_idle_pool_lets_its_nodes_sleep()
    {
        SwimNetwork network = new(20, 3);
        Assert.True(network.RunUntil(network.AllRunningSeeEachOtherAlive, 10_000));
        network.Run(10_000);
        long before = network.DueTicks;
        network.Run(10_000);
        Assert.InRange(network.DueTicks - before, 20 * 10, 20 * 10 * 3);
    }

    [Fact]
    public void Garbage_from_a_member_is_reported_and_changes_nothing()
    {
        SwimNetwork network = new(3, 8);
        network.Run(3000);
        network.Changes.Clear();
        Prng prng = new(1);
        for (int i = 0; i < 5000; i++)
        {
            byte[] bytes = new byte[prng.Next(120)];
            prng.Fill(bytes);
            network.Step(0, SwimInput.Message(MemberKit.Node(1), bytes, network.NowMs));
        }

        Assert.True(network.BadCount > 4900);
        Assert.Empty(network.Changes);
        network.Step(0, SwimInput.Message(MemberKit.Node(77), new byte[] { 9 }, network.NowMs));
    }

    [Fact]
    public void The_same_seed_gives_the_same_history()
    {
        static List<(long, int, int, Liveness)> History()
        {
            SwimNetwork network = new(6, 5) { LossPermille = 200 };
            network.Run(30_000);
            network.Kill(3);
            network.Run(60_000);
            return network.Changes;
        }

        Assert.Equal(History(), History());
    }

    [Fact]
    public void The_golden_messages_decode()
    {
        NodeId node = new(Convert.FromHexString(new string('1', 64)));
        NodeId by = new(Convert.FromHexString(new string('2', 64)));
        SwimMessage message = new(SwimMessageKind.PingRequest, 0x01020304, node,
            [new(Liveness.Suspect, node, 300, by), new(Liveness.Dead, by, 1, default)]);
        string golden = "0103" + "04030201" + new string('1', 64) + "02"
            + "01" + new string('1', 64) + "ac02" + new string('2', 64)
            + "02" + new string('2', 64) + "01";
        ArrayBufferWriter<byte> output = new();
        message.Write(output);
        Assert.Equal(golden, Convert.ToHexStringLower(output.WrittenSpan));
        Assert.True(SwimMessage.TryRead(Convert.FromHexString(golden), out SwimMessage read));
        Assert.Equal(message.Updates, read.Updates);
        for (int length = 0; length < output.WrittenCount; length++)
        {
            Assert.False(SwimMessage.TryRead(output.WrittenSpan[..length], out _));
        }
    }
}
