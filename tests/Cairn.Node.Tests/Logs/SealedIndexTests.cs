using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Simulation;
using Cairn.Simulation.Indexes;

namespace Cairn.Node.Tests.Logs;

public sealed class SealedIndexTests
{
    private static readonly Comparer<byte[]> Order =
        Comparer<byte[]>.Create(static (left, right) => left.AsSpan().SequenceCompareTo(right));

    private static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private static readonly byte[] Tags =
        [TreeKeys.Entry, TreeKeys.Object, TreeKeys.ExtendedAttribute, TreeKeys.Conflict, 0xF0];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void It_answers_like_an_ordered_map_whatever_is_asked(ulong seed)
    {
        var random = new Prng(seed);
        using SealedIndex index = Open(new SimulatedIndex());
        var model = new SortedDictionary<byte[], byte[]>(Order);
        for (int round = 0; round < 30; round++)
        {
            var changes = new List<IndexChange>();
            for (int i = 0; i < 40; i++)
            {
                byte[] key = Key(random);
                byte[]? value = random.Next(4) == 0 ? null : Bytes(random, random.Next(50));
                changes.Add(new IndexChange(key, value is null ? null : (ReadOnlyMemory<byte>?)value));
                model.Remove(key);
                if (value is not null)
                {
                    model.Add(key, value);
                }
            }

            Assert.True(index.Apply(changes).IsOk);
            for (int i = 0; i < 30; i++)
            {
                byte[] key = Key(random);
                Assert.Equal(model.GetValueOrDefault(key), index.Get(key).Value);
                AssertScan(index, model, random);
            }
        }

        AssertSame(model, Walk(index, [], [], 7));
    }

    [Fact]
    public void Names_and_values_are_nowhere_in_the_store_below()
    {
        var below = new SimulatedIndex();
        using SealedIndex index = Open(below);
        byte[] key = [TreeKeys.Entry, .. new byte[ObjectId.Size], .. "secret name"u8];
        Assert.True(index.Apply([new IndexChange(key, "secret value"u8.ToArray())]).IsOk);
        Assert.Equal("secret value"u8.ToArray(), index.Get(key).Value);
        foreach ((byte[] stored, byte[] value) in below.Scan([], [], 100).Value)
        {
            Assert.DoesNotContain("secret", Encoding.Latin1.GetString(stored), StringComparison.Ordinal);
            Assert.DoesNotContain("secret", Encoding.Latin1.GetString(value), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void It_is_read_again_after_a_restart_and_emptied_under_other_keys()
    {
        var below = new SimulatedIndex();
        byte[] key = [TreeKeys.Rule, 1, 2, 3];
        Assert.True(Open(below).Apply([new IndexChange(key, new byte[] { 7 })]).IsOk);
        Assert.Equal([7], Open(below).Get(key).Value);
        using SealedIndex locked = SealedIndex.Open(below, new byte[32], new SimulatedEntropy(5));
        Assert.False(locked.Get(key).IsOk);
        Assert.False(locked.Scan([], [], 10).IsOk);
        Assert.True(locked.Clear().IsOk);
        Assert.Null(locked.Get(key).Value);
    }

    [Fact]
    public void An_index_in_the_clear_is_emptied()
    {
        var below = new SimulatedIndex();
        Assert.True(below.Apply([new IndexChange(new byte[] { TreeKeys.Rule, 9 }, new byte[] { 1 })]).IsOk);
        using SealedIndex index = Open(below);
        Assert.Empty(index.Scan([], [], 10).Value);
        Assert.Equal(1, below.Count);
    }

    [Fact]
    public void A_damaged_record_is_an_error()
    {
        var below = new SimulatedIndex();
        using SealedIndex index = Open(below);
        byte[] key = [TreeKeys.Rule, 1];
        Assert.True(index.Apply([new IndexChange(key, new byte[] { 7 })]).IsOk);
        byte[] stored = below.Get(key).Value!;
        stored[^1] ^= 1;
        Assert.True(below.Apply([new IndexChange(key, stored)]).IsOk);
        Assert.False(index.Get(key).IsOk);
        Assert.False(index.Scan([], [], 10).IsOk);
        below.Failure = "disk image is malformed";
        Assert.Equal("disk image is malformed", index.Scan([], [], 10).Error.Detail);
    }

    [Fact]
    public void An_index_in_which_a_record_did_not_open_is_emptied_at_the_next_start()
    {
        var below = new SimulatedIndex();
        byte[] key = [TreeKeys.Rule, 1];
        using (SealedIndex index = Open(below))
        {
            Assert.True(index.Apply([new IndexChange(key, new byte[] { 7 })]).IsOk);
            byte[] stored = below.Get(key).Value!;
            stored[0] ^= 1;
            Assert.True(below.Apply([new IndexChange(key, stored)]).IsOk);
            Assert.False(index.Scan([], [], 10).IsOk);
            Assert.Null(index.Fault);
            Assert.Empty(index.Scan([IndexTable.NodesOwn], [], 10).Value);
        }

        using SealedIndex again = Open(below);
        Assert.Contains("does not open", again.Fault, StringComparison.Ordinal);
        Assert.Empty(again.Scan([], [], 10).Value);
        Assert.True(again.Apply([new IndexChange(key, new byte[] { 8 })]).IsOk);
        Assert.Equal([8], Open(below).Get(key).Value);
    }

    [Fact]
    public void Objects_that_were_made_together_are_read_together()
    {
        var random = new Prng(1);
        var ids = new FreshIds(random.Fill);
        byte[][] keys = [.. Enumerable.Range(0, 500).Select(_ => (byte[])[TreeKeys.Object, .. ids.Next().ToArray()])];
        byte[] never = [.. keys[250].AsSpan(0, TreeKeys.NearObjectsSize), .. new byte[10]];
        var below = new SimulatedIndex();
        using SealedIndex index = Open(below);
        Assert.True(index.Apply(keys.Select(static key => new IndexChange(key, key.AsMemory(0, 9)))).IsOk);
        byte[][] shuffled = [.. keys.OrderBy(_ => random.Next(1000))];
        long before = below.GetCount + below.ScanCount;
        Assert.All(shuffled, key => Assert.Equal(key[..9], index.Get(key).Value));
        Assert.Null(index.Get(never).Value);
        Assert.InRange(below.GetCount + below.ScanCount - before, 1, 20);
        Assert.True(index.Apply([new IndexChange(keys[7], new byte[] { 7 }), new IndexChange(keys[8], null)]).IsOk);
        Assert.All(keys[9..], key => Assert.Equal(key[..9], index.Get(key).Value));
        Assert.Equal([7], index.Get(keys[7]).Value);
        Assert.Null(index.Get(keys[8]).Value);
    }

    [Fact]
    public void More_objects_with_one_beginning_than_are_read_together_are_all_found()
    {
        byte[][] keys = [.. Enumerable.Range(0, 600).Select(
            i => (byte[])[TreeKeys.Object, .. new byte[ObjectId.Size - 2], (byte)(i >> 8), (byte)i])];
        using SealedIndex index = Open(new SimulatedIndex());
        Assert.True(index.Apply(keys.Select(static key => new IndexChange(key, key.AsMemory(key.Length - 2)))).IsOk);
        Assert.All(keys, key => Assert.Equal(key[^2..], index.Get(key).Value));
    }

    [Fact]
    public void The_names_of_a_directory_that_was_listed_are_not_looked_for_below()
    {
        byte[] directory = [TreeKeys.Entry, .. new byte[ObjectId.Size]];
        byte[][] keys = [.. Enumerable.Range(0, 100).Select(i => (byte[])[.. directory, (byte)(1 + i)])];
        var below = new SimulatedIndex();
        using SealedIndex index = Open(below);
        Assert.True(index.Apply(keys.Select(static key => new IndexChange(key, key.AsMemory(key.Length - 1)))).IsOk);
        Assert.Equal(10, index.Scan(directory, TreeKeys.EndOf(directory), 10).Value.Count);
        long before = below.GetCount;
        Assert.All(keys, key => Assert.Equal(key[^1..], index.Get(key).Value));
        Assert.Null(index.Get([.. directory, 200]).Value);
        Assert.Equal(before, below.GetCount);
        Assert.True(index.Apply([new IndexChange(keys[0], new byte[] { 200 })]).IsOk);
        Assert.Equal([200], index.Get(keys[0]).Value);
    }

    private static SealedIndex Open(SimulatedIndex below) =>
        SealedIndex.Open(below, Secret, new SimulatedEntropy(3));

    private static byte[] Bytes(Prng random, int length)
    {
        byte[] bytes = new byte[length];
        random.Fill(bytes);
        return bytes;
    }

    /// <summary>Few ids and few names, so that keys meet again and directories fill.</summary>
    private static byte[] Key(Prng random)
    {
        byte[] id = new byte[ObjectId.Size];
        id[random.Next(2) * 15] = random.Next(3) switch { 0 => 0, 1 => 7, _ => 0xFF };
        byte tag = Tags[random.Next(Tags.Length)];
        bool isNamed = tag is TreeKeys.Entry or TreeKeys.ExtendedAttribute or TreeKeys.Conflict;
        byte[] name = isNamed ? Encoding.UTF8.GetBytes($"n{random.Next(40)}") : [];
        return [tag, .. id, .. name];
    }

    private static void AssertScan(SealedIndex index, SortedDictionary<byte[], byte[]> model, Prng random)
    {
        byte[] from = random.Next(5) == 0 ? [] : Key(random);
        byte[] to = random.Next(5) == 0 ? [] : Key(random);
        int limit = 1 + random.Next(60);
        KeyValuePair<byte[], byte[]>[] expected =
            [.. model.Where(pair => Order.Compare(pair.Key, from) >= 0
                && (to.Length == 0 || Order.Compare(pair.Key, to) < 0)).Take(limit)];
        AssertSame(expected, index.Scan(from, to, limit).Value);
    }

    private static List<KeyValuePair<byte[], byte[]>> Walk(SealedIndex index, byte[] from, byte[] to, int step)
    {
        var all = new List<KeyValuePair<byte[], byte[]>>();
        while (true)
        {
            IReadOnlyList<KeyValuePair<byte[], byte[]>> page = index.Scan(from, to, step).Value;
            all.AddRange(page);
            if (page.Count < step)
            {
                return all;
            }

            from = [.. page[^1].Key, 0];
        }
    }

    private static void AssertSame(
        IEnumerable<KeyValuePair<byte[], byte[]>> expected, IEnumerable<KeyValuePair<byte[], byte[]>> actual) =>
        Assert.Equal(
            expected.Select(pair => $"{Convert.ToHexString(pair.Key)}={Convert.ToHexString(pair.Value)}"),
            actual.Select(pair => $"{Convert.ToHexString(pair.Key)}={Convert.ToHexString(pair.Value)}"));
}
