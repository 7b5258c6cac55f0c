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
    public void A_record_that_was_removed_leaves_nothing_behind()
    {
        PoolMap map = new();
        map.Merge(MemberKit.Signed(1, 5));
        Bytes16 root = map.Root;
        SignedNodeRecord second = MemberKit.Signed(2, 5);
        map.Merge(second);
        map.Remove(second.Record.Node);
        map.Remove(second.Record.Node);
        Assert.Equal(root, map.Root);
        Assert.Equal(1, map.Count);
        Assert.Equal(MergeOutcome.Added, map.Merge(second));
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
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void What_lies_in_differing_buckets_makes_two_maps_one(ulong seed)
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

        GiveDiffering(one, other);
        GiveDiffering(other, one);
        Assert.Equal(one.Root, other.Root);
        Assert.Equal(one.Records, other.Records);
    }

    [Fact]
    public void A_record_is_held_when_it_is_here_byte_for_byte()
    {
        PoolMap map = new();
        SignedNodeRecord record = MemberKit.Signed(1, 5);
        byte[] forged = record.Bytes.ToArray();
        forged[^1] ^= 1;
        Assert.False(map.Holds(record.Bytes.Span));
        map.Merge(record);
        Assert.True(map.Holds(record.Bytes.Span));
        Assert.False(map.Holds(forged));
        Assert.False(map.Holds(MemberKit.Signed(1, 6).Bytes.Span));
        Assert.False(map.Holds(record.Bytes.Span[..20]));
        Assert.False(map.Holds([]));
    }

    private static void GiveDiffering(PoolMap from, PoolMap to)
    {
        int[] differing = [.. Enumerable.Range(0, PoolMap.BucketCount)
            .Where(bucket => from.BucketDigest(bucket) != to.BucketDigest(bucket))];
        foreach (SignedNodeRecord record in from.Records)
        {
            if (differing.Contains(PoolMap.BucketOf(record.Record.Node)))
            {
                to.Merge(record);
            }
        }
    }
}
