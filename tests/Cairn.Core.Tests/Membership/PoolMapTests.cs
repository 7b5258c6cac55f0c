using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

public sealed class PoolMapTests
{
    [Fact]
    public void Maps_that_met_the_same_records_are_equal_whatever_the_order()
    {
        for (ulong seed = 1; seed <= 50; seed++)
        {
            Prng prng = new(seed);
            List<SignedNodeRecord> records = [];
            for (int i = 0; i < 40; i++)
            {
                NodeRecord record = MemberKit.Record(prng.Next(8), (ulong)prng.Next(4));
                records.Add(MemberKit.Sign(record with { CapacityBytes = prng.Next(3) }));
            }

            PoolMap one = new();
            PoolMap other = new();
            records.ForEach(record => one.Merge(record));
            foreach (SignedNodeRecord record in records.OrderBy(_ => prng.NextUInt64()).Concat(records.Take(10)))
            {
                other.Merge(record);
            }

            Assert.Equal(one.Records, other.Records);
            Assert.Equal(one.Root, other.Root);
        }
    }

    [Fact]
    public void The_higher_counter_wins_and_the_outcome_says_so()
    {
        PoolMap map = new();
        Assert.Equal(MergeOutcome.Added, map.Merge(MemberKit.Signed(1, 5)));
        Bytes16 root = map.Root;
        Assert.Equal(MergeOutcome.Same, map.Merge(MemberKit.Signed(1, 5)));
        Assert.Equal(MergeOutcome.Older, map.Merge(MemberKit.Signed(1, 4)));
        Assert.Equal(root, map.Root);
        Assert.Equal(MergeOutcome.Updated, map.Merge(MemberKit.Signed(1, 6)));
        Assert.NotEqual(root, map.Root);
        Assert.True(map.Remove(MemberKit.Node(1)));
        Assert.Equal(new PoolMap().Root, map.Root);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Two_maps_become_one_in_few_messages(ulong seed)
    {
        Prng prng = new(seed);
        PoolMap one = new();
        PoolMap other = new();
        for (int node = 0; node < 300; node++)
        {
            one.Merge(MemberKit.Signed(node, 3));
            other.Merge(MemberKit.Signed(node, 3));
        }

        for (int i = 0; i < 20; i++)
        {
            PoolMap map = prng.Chance(2) ? one : other;
            map.Merge(MemberKit.Signed(prng.Next(320), (ulong)(4 + prng.Next(3))));
        }

        int messages = Talk(one, other);
        Assert.Equal(one.Root, other.Root);
        Assert.Equal(one.Records, other.Records);
        Assert.InRange(messages, 2, 8);
        Assert.Equal(1, Talk(one, other));
    }

    [Fact]
    public void Strangers_and_forged_records_stay_out()
    {
        PoolMap map = new();
        SignedNodeRecord good = MemberKit.Signed(1);
        byte[] forged = MemberKit.Signed(2).Bytes.ToArray();
        forged[^1] ^= 1;
        byte[] push = MapExchange.Push([good, new(good.Record, forged), MemberKit.Signed(3)]);
        MapExchangeResult result = MapExchange.Answer(map, push, node => node != MemberKit.Node(3), MemberKit.Check)!;
        Assert.Equal([MemberKit.Node(1)], result.Changed);
        Assert.Equal([NodeRecordError.BadSignature], result.Refused);
        Assert.Equal(1, map.Count);
    }

    [Fact]
    public void Broken_messages_are_refused()
    {
        PoolMap map = new();
        map.Merge(MemberKit.Signed(1));
        PoolMap empty = new();
        Prng prng = new(3);
        byte[] bytes = MapExchange.Open(empty);
        for (byte[]? next = bytes; next is not null;)
        {
            for (int length = 0; length < next.Length; length++)
            {
                bool isPushPrefix = next[1] == 4 && length is 2;
                Assert.True(isPushPrefix
                    || MapExchange.Answer(new PoolMap(), next.AsSpan(0, length), _ => true, MemberKit.Check) is null);
            }

            next = MapExchange.Answer(map, next, _ => true, MemberKit.Check)!.Replies
                is [byte[] first, ..] ? first : null;
        }

        for (int i = 0; i < 5000; i++)
        {
            byte[] garbage = new byte[prng.Next(60)];
            prng.Fill(garbage);
            _ = MapExchange.Answer(map, garbage, _ => true, MemberKit.Check);
        }

        Assert.Equal(1, map.Count);
    }

    private static int Talk(PoolMap one, PoolMap other)
    {
        Queue<(PoolMap To, PoolMap From, byte[] Bytes)> flying = new([(other, one, MapExchange.Open(one))]);
        int messages = 0;
        while (flying.TryDequeue(out (PoolMap To, PoolMap From, byte[] Bytes) message))
        {
            messages++;
            MapExchangeResult result = MapExchange.Answer(message.To, message.Bytes, _ => true, MemberKit.Check)!;
            foreach (byte[] reply in result.Replies)
            {
                flying.Enqueue((message.From, message.To, reply));
            }
        }

        return messages;
    }
}
