using System.Buffers.Binary;
using System.Text;
using Cairn.Io.Index;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Index;

public sealed class SqliteIndexStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_put_is_found_after_reopening()
    {
        using (var store = Open())
        {
            Assert.Null(store.Get("a"u8).Value);
            Assert.True(store.Apply([Put("a", "1"), Put("b", "2"), Put("c", "")]).IsOk);
            Assert.True(store.Apply([Put("a", "one"), Delete("b"), Delete("none")]).IsOk);
        }

        using var again = Open();
        Assert.Equal("one"u8.ToArray(), again.Get("a"u8).Value);
        Assert.Null(again.Get("b"u8).Value);
        Assert.Equal([], again.Get("c"u8).Value!);
    }

    [Fact]
    public void A_scan_walks_in_byte_order_between_its_bounds()
    {
        using var store = Open();
        byte[][] keys = [[0], [0, 0], [0x7F], [0x80], [0xFF], [0xFF, 0xFF]];
        foreach (byte[] key in keys.Reverse())
        {
            Assert.True(store.Apply([new IndexChange(key, key)]).IsOk);
        }

        Assert.Equal(keys, store.Scan(default, default, 100).Value.Select(pair => pair.Key));
        Assert.Equal(keys[1..3], store.Scan(keys[1], keys[3], 100).Value.Select(pair => pair.Value));
        Assert.Equal(keys[2..4], store.Scan([1], default, 2).Value.Select(pair => pair.Key));
        Assert.Empty(store.Scan([1], [1], 2).Value);
    }

    [Fact]
    public void Values_of_any_length_take_the_place_of_each_other_and_leave_nothing()
    {
        using var store = Open();
        string large = new('l', 40_000);
        string[] values = ["s", large, "t", large[1..], large, ""];
        foreach (string value in values)
        {
            Assert.True(store.Apply([Put("a", value), Put("b", large)]).IsOk);
            Assert.Equal(value, Encoding.ASCII.GetString(store.Get("a"u8).Value!));
            Assert.Equal([value, large], store.Scan(default, default, 10).Value
                .Select(pair => Encoding.ASCII.GetString(pair.Value)));
        }

        Assert.Equal(1, LargeValues());
        Assert.True(store.Apply([Put("a", large), Delete("b"), Delete("a")]).IsOk);
        Assert.Empty(store.Scan(default, default, 10).Value);
        Assert.Equal(0, LargeValues());
    }

    [Fact]
    public void A_file_of_earlier_programs_is_read_and_written()
    {
        Make("earlier", "CREATE TABLE kv(k BLOB PRIMARY KEY NOT NULL, v BLOB NOT NULL) WITHOUT ROWID;"
            + "INSERT INTO kv VALUES(CAST('a' AS BLOB), zeroblob(5000)), (CAST('b' AS BLOB), zeroblob(1))");
        File.Copy(_folder["earlier"], _folder["index"]);
        using var store = Open();
        Assert.Equal(5000, store.Get("a"u8).Value!.Length);
        Assert.True(store.Apply([Put("a", new string('v', 6000)), Delete("b")]).IsOk);
        Assert.Equal(6000, Assert.Single(store.Scan(default, default, 10).Value).Value.Length);
    }

    [Fact]
    public void Many_changes_are_applied_in_their_order_though_each_is_handed_in_in_the_bytes_of_the_one_before()
    {
        const int count = 30_000;
        const int keys = 3_000;
        using var store = Open();
        Assert.True(store.Apply(Reusing(count)).IsOk);
        var rows = store.Scan(default, default, count).Value;
        int[] last = [.. Enumerable.Range(count - keys, keys).Where(static i => i % 5 != 0).OrderBy(i => i % keys)];
        Assert.Equal(last.Select(i => i % keys), rows.Select(row => BinaryPrimitives.ReadInt32BigEndian(row.Key)));
        Assert.All(rows.Zip(last), pair => Assert.Equal(Filled(pair.Second), pair.First.Value));

        static IEnumerable<IndexChange> Reusing(int count)
        {
            byte[] key = new byte[sizeof(int)];
            byte[] value = new byte[100];
            for (int i = 0; i < count; i++)
            {
                BinaryPrimitives.WriteInt32BigEndian(key, i % keys);
                value.AsSpan().Fill((byte)i);
                yield return new IndexChange(key, i % 5 == 0 ? null : (ReadOnlyMemory<byte>?)value);
            }
        }

        static byte[] Filled(int i) => [.. Enumerable.Repeat((byte)i, 100)];
    }

    [Fact]
    public void An_empty_key_is_a_key()
    {
        using var store = Open();
        Assert.True(store.Apply([new IndexChange(default, new byte[] { 1 })]).IsOk);
        Assert.Equal([1], store.Get(default).Value!);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5000)]
    public void A_damaged_file_is_a_typed_error_until_it_is_cleared(int damageOffset)
    {
        using (var store = Open())
        {
            var changes = Enumerable.Range(0, 2000).Select(i => Put($"key {i:d6}", new string('v', 50))).ToList();
            Assert.True(store.Apply(changes).IsOk);
        }

        byte[] bytes = File.ReadAllBytes(_folder["index"]);
        bytes.AsSpan(damageOffset).Fill(0xA5);
        File.WriteAllBytes(_folder["index"], bytes);

        using var damaged = Open();
        Assert.False(damaged.Scan(default, default, 10_000).IsOk);
        Assert.Contains("SQLite error", damaged.Apply([Put("a", "1")]).Error.Detail, StringComparison.Ordinal);
        Assert.True(damaged.Clear().IsOk);
        Assert.Empty(damaged.Scan(default, default, 10).Value);
        Assert.True(damaged.Apply([Put("a", "1")]).IsOk);
        Assert.Equal("1"u8.ToArray(), damaged.Get("a"u8).Value);
    }

    [Fact]
    public void A_database_with_another_shape_is_a_typed_error()
    {
        Make("foreign", "CREATE TABLE kv(other TEXT)");
        File.Copy(_folder["foreign"], _folder["index"], overwrite: true);
        using var store = Open();
        Assert.False(store.Get("a"u8).IsOk);
        Assert.True(store.Clear().IsOk);
        Assert.Null(store.Get("a"u8).Value);
    }

    [Fact]
    public void A_folder_that_is_missing_is_a_typed_error()
    {
        using var store = new SqliteIndexStore(_folder["none/index"]);
        Assert.Contains("unable to open", store.Get("a"u8).Error.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Readers_beside_a_writer_see_whole_transactions()
    {
        using var store = Open();
        Assert.True(store.Apply([Put("a", "0"), Put("b", "0")]).IsOk);
        bool done = false;
        var writer = new Thread(() =>
        {
            for (int i = 1; i <= 300; i++)
            {
                string value = i.ToString(System.Globalization.CultureInfo.InvariantCulture);
                Assert.True(store.Apply([Put("a", value), Put("b", value)]).IsOk);
            }

            Volatile.Write(ref done, true);
        });
        writer.Start();
        while (!Volatile.Read(ref done))
        {
            var pairs = store.Scan(default, default, 2).Value;
            Assert.Equal(pairs[0].Value, pairs[1].Value);
        }

        writer.Join();
    }

    [Fact]
    public void A_view_stands_still_whatever_is_written_or_cleared()
    {
        using var store = Open();
        Assert.True(store.Apply([Put("a", "0"), Put("b", "0")]).IsOk);
        using IIndexStore view = store.View().Value;
        Assert.True(store.Apply([Put("a", "1"), Put("c", "1")]).IsOk);
        Assert.True(store.Clear().IsOk);
        Assert.True(store.Apply([Put("d", "2")]).IsOk);
        Assert.Equal("0"u8.ToArray(), view.Get("a"u8).Value);
        Assert.Equal(2, view.Scan(default, default, 10).Value.Count);
        Assert.False(view.Apply([Put("a", "3")]).IsOk);
        Assert.Equal("d"u8.ToArray(), Assert.Single(store.Scan(default, default, 10).Value).Key);
    }

    private SqliteIndexStore Open() => new(_folder["index"]);

    private void Make(string file, string sql)
    {
        SQLitePCL.Batteries_V2.Init();
        Assert.Equal(0, SQLitePCL.raw.sqlite3_open(_folder[file], out SQLitePCL.sqlite3 database));
        Assert.Equal(0, SQLitePCL.raw.sqlite3_exec(database, sql));
        database.Dispose();
    }

    private int LargeValues()
    {
        Assert.Equal(0, SQLitePCL.raw.sqlite3_open(_folder["index"], out SQLitePCL.sqlite3 database));
        Assert.Equal(0, SQLitePCL.raw.sqlite3_prepare_v2(
            database, "SELECT count(*) FROM large", out SQLitePCL.sqlite3_stmt count));
        Assert.Equal(SQLitePCL.raw.SQLITE_ROW, SQLitePCL.raw.sqlite3_step(count));
        int found = SQLitePCL.raw.sqlite3_column_int(count, 0);
        count.Dispose();
        database.Dispose();
        return found;
    }

    private static IndexChange Put(string key, string value) =>
        new(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(value));

    private static IndexChange Delete(string key) => new(Encoding.UTF8.GetBytes(key), null);
}
