using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Fold;

/// <summary>Every table against a sorted dictionary, over random operations.</summary>
public sealed class TableTests
{
    /// <summary>Neither the cache nor what was learnt of the keys is of the source that was.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void A_source_that_was_filled_below_a_table_is_looked_at_again(int learnKeysMax)
    {
        var source = new MemoryTable();
        source.Put([1], [1]);
        var table = new OverlayTable(source, cacheBytesMax: 4096, learnKeysMax);
        Assert.Null(table.Get([2]));
        source.Put([1], [3]);
        source.Put([2], [4]);
        table.Reload();
        Assert.Equal([3], table.Get([1]));
        Assert.Equal([4], table.Get([2]));
    }

    [Fact]
    public void A_memory_table_is_an_ordered_map()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            Check(
                new MemoryTable(), new Prng(seed), static _ => { },
                new SortedDictionary<byte[], byte[]>(ByteOrder.Instance));
        }
    }

    [Fact]
    public void Tracked_changes_carry_the_table_over()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var index = new MemoryTable();
            var start = new SortedDictionary<byte[], byte[]>(ByteOrder.Instance) { [[1, 2]] = [3], [[7]] = [] };
            Fill(index, start);
            MemoryTable table = MemoryTable.Tracking(index);
            Assert.Equal(0, table.ChangeCount);
            Check(table, new Prng(seed), t => Persist((IPersistedTable)t, index), start);
            Persist(table, index);
            Assert.Equal(All(table), All(index));
        }
    }

    [Fact]
    public void An_overlay_shows_its_changes_over_the_source()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var index = new MemoryTable();
            var start = new SortedDictionary<byte[], byte[]>(ByteOrder.Instance) { [[1, 2]] = [3], [[7]] = [] };
            Fill(index, start);
            var table = new OverlayTable(
                index, cacheBytesMax: seed % 2 == 0 ? 0 : 4096, learnKeysMax: seed % 3 == 0 ? 0 : 100);
            Check(table, new Prng(seed), t => Persist((IPersistedTable)t, index), start);
            Persist(table, index);
            Assert.Equal(All(table), All(index));
        }
    }

    [Fact]
    public void An_overlay_that_is_emptied_with_its_source_has_nothing_and_takes_new_keys()
    {
        var index = new MemoryTable();
        var table = new OverlayTable(index, cacheBytesMax: 4096);
        table.Put([1], [1]);
        Persist(table, index);
        table.Put([2], [2]);
        table.TakeChanges();
        table.Put([3], [3]);
        table.Clear();
        index.Put([1], null);
        Assert.Empty(All(table));
        Assert.Equal([null, null, null], new[] { table.Get([1]), table.Get([2]), table.Get([3]) });
        table.Put([1], [4]);
        Persist(table, index);
        Assert.Equal([4], table.Get([1])!);
        Assert.Equal(All(table), All(index));
    }

    [Fact]
    public void What_is_dropped_is_gone_like_what_is_removed()
    {
        var index = new MemoryTable();
        foreach (ITreeTable table in (ITreeTable[])[new MemoryTable(), new OverlayTable(index, cacheBytesMax: 0)])
        {
            table.Set([1], [1]);
            table.Set([2], [2]);
            table.Drop([1]);
            table.Drop([3]);
            Assert.Equal([null, null], new[] { table.Get([1]), table.Get([3]) });
            Assert.Equal("0202", Assert.Single(All(table)));
            table.Set([1], [4]);
            Assert.Equal([4], table.Get([1])!);
        }

        // Dropped above what is taken, and above what is below.
        var persisted = new OverlayTable(index, cacheBytesMax: 4096);
        persisted.Set([1], [1]);
        persisted.Set([2], [2]);
        Persist(persisted, index);
        persisted.Set([5], [5]);
        persisted.Drop([1]);
        _ = persisted.TakeChanges();
        persisted.Drop([5]);
        persisted.ChangesPersisted();
        index.Put([1], null);
        index.Put([5], [5]);
        Persist(persisted, index);
        Assert.Equal("0202", Assert.Single(All(persisted)));
        Assert.Equal("0202", Assert.Single(All(index)));
    }

    [Fact]
    public void A_walk_goes_on_when_the_table_changes_under_it()
    {
        foreach (ITreeTable table in (ITreeTable[])[new MemoryTable(), new OverlayTable(new MemoryTable(), 1000)])
        {
            for (int i = 0; i < 1000; i++)
            {
                table.Put([(byte)(i >> 8), (byte)i], [(byte)i]);
            }

            int seen = 0;
            byte[] last = [];
            TableCursor cursor = table.Scan([], []);
            while (cursor.MoveNext())
            {
                Assert.True(cursor.Key.AsSpan().SequenceCompareTo(last) > 0);
                last = cursor.Key;
                table.Put(last, null);
                table.Put([(byte)(seen % 3), 0, 7], [1]);
                seen++;
            }

            Assert.InRange(seen, 1000, 1010);
        }
    }

    [Fact]
    public void What_left_before_the_order_was_asked_for_is_not_walked_over()
    {
        var table = new MemoryTable();
        for (int i = 0; i < 3000; i++)
        {
            table.Put([(byte)(i >> 8), (byte)i], [1]);
        }

        for (int i = 0; i < 3000; i++)
        {
            if (i % 10 != 0)
            {
                table.Put([(byte)(i >> 8), (byte)i], null);
            }
        }

        table.Put([0, 7], [2]);
        Assert.Equal(
            Enumerable.Range(0, 3000).Where(i => i % 10 == 0 || i == 7).Select(i => $"{i:X4}{(i == 7 ? "02" : "01")}"),
            All(table));
    }

    private static void Check(
        ITreeTable table, Prng random, Action<ITreeTable> now, SortedDictionary<byte[], byte[]> model)
    {
        for (int step = 0; step < 4000; step++)
        {
            byte[] key = new byte[1 + random.Next(3)];
            random.Fill(key);
            key[0] &= 15;
            byte[]? before = model.GetValueOrDefault(key);
            Assert.Equal(before, table.Get(key));
            if (random.Next(3) == 0)
            {
                Assert.Equal(before, table.Put(key, null).AsArray());
                model.Remove(key);
            }
            else
            {
                byte[] value = new byte[random.Next(random.Chance(3) ? 600 : 5)];
                random.Fill(value);
                Assert.Equal(before, table.Put(key, value).AsArray());
                model[key] = value;
            }

            if (random.Chance(200))
            {
                now(table);
            }
        }

        Assert.Equal(model.Select(pair => Convert.ToHexString(pair.Key) + Convert.ToHexString(pair.Value)), All(table));
        byte[] from = [(byte)random.Next(16), 100];
        byte[] to = [15, 3];
        Assert.Equal(
            model.Where(pair => ByteOrder.Instance.Compare(pair.Key, from) >= 0)
                .Where(pair => ByteOrder.Instance.Compare(pair.Key, to) < 0)
                .Select(pair => Convert.ToHexString(pair.Key) + Convert.ToHexString(pair.Value)),
            All(table, from, to));
    }

    private static void Persist(IPersistedTable table, MemoryTable index)
    {
        IReadOnlyList<TableChange> changes = table.TakeChanges();
        table.Put([3, 3, 3, 3], [9]);
        table.Put([3, 3, 3, 3], null);
        foreach ((TableBytes key, TableBytes value) in changes)
        {
            index.Put(key.Span, value.AsArray());
        }

        table.ChangesPersisted();
    }

    /// <summary>What is too long to be remembered must not leave what it took the place of.</summary>
    [Fact]
    public void A_cache_that_gets_more_slots_says_nothing_that_is_old()
    {
        var index = new MemoryTable();
        var table = new OverlayTable(index, cacheBytesMax: 1 << 20, learnKeysMax: 0);
        var expected = new Dictionary<int, byte[]>();
        var random = new Prng(5);
        for (int i = 0; i < 6000; i++)
        {
            int key = random.Next(1500);
            byte[] value = new byte[random.Chance(50) ? 20_000 : random.Next(40)];
            random.Fill(value);
            expected[key] = value;
            table.Put(BitConverter.GetBytes(key), value);
            int asked = random.Next(1500);
            Assert.Equal(expected.GetValueOrDefault(asked), table.Get(BitConverter.GetBytes(asked)));
            if (i % 3 == 0)
            {
                Persist(table, index);
            }
        }
    }

    [Fact]
    public void Keys_are_compared_by_content()
    {
        ByteKeyComparer comparer = ByteKeyComparer.Instance;
        Assert.True(comparer.Equals([1, 2], [1, 2]));
        Assert.False(comparer.Equals([1, 2], [1, 3]));
        Assert.Equal(comparer.GetHashCode([1, 2]), comparer.GetHashCode([1, 2]));
    }

    private static void Fill(MemoryTable index, SortedDictionary<byte[], byte[]> start)
    {
        foreach ((byte[] key, byte[] value) in start)
        {
            index.Set(key, value);
        }
    }

    private static List<string> All(ITableSource table, byte[]? from = null, byte[]? to = null)
    {
        var all = new List<string>();
        TableCursor cursor = table.Scan(from, to);
        while (cursor.MoveNext())
        {
            all.Add(Convert.ToHexString(cursor.Key) + Convert.ToHexString(cursor.Value));
        }

        return all;
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        internal static readonly ByteOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
