using Cairn.Core.Fold.Tables;

namespace Cairn.Core.Tests.Fold;

/// <summary>What a table in memory costs, and what it never does to bytes that somebody holds.</summary>
public sealed class MemoryTableTests
{
    private const int Keys = 20_000;
    private const int ValueBytes = 100;

    [Fact]
    public void Reads_allocate_nothing_and_a_record_is_no_object()
    {
        MemoryTable table = Filled(round: 0);
        Func<ReadOnlySpan<byte>, bool> isThere = key => !table.Find(key).IsAbsent;
        Assert.True(All(isThere));
        long least = long.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            // A collection in between counts what was left of the thread's piece of the heap.
            long unread = GC.GetAllocatedBytesForCurrentThread();
            All(isThere);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - unread);
        }

        Assert.Equal(0, least);

        // The values and at most two pages begun; arrays of their own would be 28 bytes longer each.
        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill(table, round: 1);
        long written = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(written, Keys * ValueBytes, (Keys * ValueBytes) + (2 * (128 << 10)) + 1000);
    }

    [Fact]
    public void What_was_read_stays_as_it_was_whatever_is_written_later()
    {
        MemoryTable table = Filled(round: 0);
        var read = new List<TableBytes>();
        All(key =>
        {
            read.Add(table.Find(key));
            return true;
        });
        for (int round = 1; round <= 20; round++)
        {
            Fill(table, round);
        }

        All(key => !table.Remove(key).Before.IsAbsent);
        Assert.Equal(0, table.Count);
        Assert.Equal(Enumerable.Range(0, Keys).Select(i => TableBytes.Of(Value(i, round: 0))), read);
    }

    [Fact]
    public void What_a_write_did_is_told()
    {
        var table = new MemoryTable();
        Assert.Equal(default, table.Remove([1]));
        Assert.Equal(
            new TableWrite(TableBytes.Of([1]), default, TableBytes.Of([2])), table.Set([1], [2]));
        Assert.Equal(
            new TableWrite(TableBytes.Of([1]), TableBytes.Of([2]), TableBytes.Of([])), table.Set([1], []));
        Assert.Equal(new TableWrite(TableBytes.Of([1]), TableBytes.Of([]), default), table.Remove([1]));
        Assert.True(table.Find([1]).IsAbsent);
    }

    [Fact]
    public void Values_that_were_replaced_are_let_go()
    {
        var table = new MemoryTable();
        byte[] value = new byte[4000];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 50_000; i++)
        {
            table.Set([1], value);
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 100_000_000);
        Assert.Equal(value, table.Get([1]));
        Assert.Equal(1 + value.Length, table.ContentBytes);
    }

    [Fact]
    public void No_bytes_are_not_absence()
    {
        Assert.NotEqual(default, TableBytes.Of([]));
        Assert.Equal(TableBytes.Of([7]), TableBytes.Of([7]));
        Assert.NotEqual(TableBytes.Of([7]), TableBytes.Of([8]));
        Assert.Null(default(TableBytes).AsArray());
        var table = new MemoryTable();
        Assert.True(table.Put([1], []).IsAbsent);
        Assert.Equal([], table.Get([1])!);
        Assert.False(table.Put([1], null).IsAbsent);
        Assert.Null(TableAccess.Get(table, [1]));
    }

    private static MemoryTable Filled(int round)
    {
        var table = new MemoryTable();
        Fill(table, round);
        return table;
    }

    private static void Fill(MemoryTable table, int round)
    {
        Span<byte> key = stackalloc byte[sizeof(int)];
        Span<byte> value = stackalloc byte[ValueBytes];
        for (int i = 0; i < Keys; i++)
        {
            KeyOf(i, key);
            value.Fill((byte)(i + (7 * round)));
            table.Set(key, value);
        }
    }

    private static byte[] Value(int i, int round)
    {
        byte[] value = new byte[ValueBytes];
        value.AsSpan().Fill((byte)(i + (7 * round)));
        return value;
    }

    private static bool All(Func<ReadOnlySpan<byte>, bool> isSo)
    {
        Span<byte> key = stackalloc byte[sizeof(int)];
        for (int i = 0; i < Keys; i++)
        {
            KeyOf(i, key);
            if (!isSo(key))
            {
                return false;
            }
        }

        return true;
    }

    private static void KeyOf(int i, Span<byte> key) => BitConverter.TryWriteBytes(key, i);
}
