using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Tests.Contracts;

/// <summary>What every <see cref="IDisk"/> must do, run on the real one, the one in memory and the simulated one.</summary>
public abstract class DiskContract
{
    /// <summary>The disk under test, empty.</summary>
    protected abstract IDisk Disk { get; }

    [Fact]
    public void A_new_file_is_empty_and_reads_back_what_was_written()
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        Assert.Equal(0, file.Length().Value);
        Assert.True(file.Write(3, "hello"u8).IsOk);
        Assert.Equal(8, file.Length().Value);
        Assert.Equal("\0\0\0hello"u8.ToArray(), Read(file, 0, 8));
        Assert.Equal("ell"u8.ToArray(), Read(file, 4, 3));
    }

    [Fact]
    public void Two_buffers_are_written_one_after_the_other()
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(2, "head"u8, "body"u8).IsOk);
        Assert.True(file.Write(10, default, "x"u8).IsOk);
        Assert.True(file.Write(11, "y"u8, default).IsOk);
        Assert.Equal("\0\0headbodyxy"u8.ToArray(), Read(file, 0, 12));
    }

    [Theory]
    [InlineData(0, 64, 1 << 20)]
    [InlineData(4096 - 64, 64, 1 << 20)]
    [InlineData(8192 + 100, 64, (3 << 20) + 17)]
    [InlineData(4096, 0, 256 << 10)]
    [InlineData(4095, 4097, 300_000)]
    [InlineData(5, 64, 1000)]
    public void Bulk_lands_where_any_write_would_and_leaves_its_neighbours_alone(int offset, int first, int second)
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        int length = offset + first + second + 5000;
        byte[] before = new byte[length];
        Array.Fill(before, (byte)0xEE);
        byte[] data = new byte[first + second];
        new Random(offset).NextBytes(data);
        Assert.True(file.Write(0, before).IsOk);
        Assert.True(file.WriteBulk(offset, data.AsSpan(0, first), data.AsSpan(first)).IsOk);

        data.CopyTo(before, offset);
        Assert.Equal(before, Read(file, 0, length));
        byte[] bulk = new byte[length];
        Assert.True(file.ReadBulk(0, bulk).IsOk);
        Assert.Equal(before, bulk);
        Assert.True(file.ReadBulk(offset, bulk.AsSpan(0, data.Length)).IsOk);
        Assert.Equal(data, bulk[..data.Length]);
        Assert.Equal(DiskErrorKind.EndOfFile, file.ReadBulk(1, bulk).Error.Kind);
        Array.Clear(bulk);
        Assert.True(file.ReadOnce(0, bulk).IsOk);
        Assert.Equal(before, bulk);
        Assert.True(file.ReadOnce(offset, bulk.AsSpan(0, data.Length)).IsOk);
        Assert.Equal(data, bulk[..data.Length]);
        Assert.Equal(DiskErrorKind.EndOfFile, file.ReadOnce(1, bulk).Error.Kind);
    }

    [Fact]
    public void Bulk_that_ends_in_one_block_with_other_bulk_keeps_both()
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        const int Each = (256 << 10) + 192;
        Assert.True(file.Preallocate(8 * Each).IsOk);
        Parallel.For(0, 8, part =>
        {
            byte[] data = new byte[Each];
            Array.Fill(data, (byte)(part + 1));
            Assert.True(file.WriteBulk(part * Each, data.AsSpan(0, 64), data.AsSpan(64)).IsOk);
        });

        byte[] all = Read(file, 0, 8 * Each);
        for (int part = 0; part < 8; part++)
        {
            Assert.Equal(-1, all.AsSpan(part * Each, Each).IndexOfAnyExcept((byte)(part + 1)));
        }
    }

    [Fact]
    public void A_read_past_the_end_fails_as_end_of_file()
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(0, "abc"u8).IsOk);
        Assert.Equal(DiskErrorKind.EndOfFile, file.Read(1, new byte[3]).Error.Kind);
        Assert.Equal(DiskErrorKind.EndOfFile, file.Read(9, new byte[1]).Error.Kind);
        Assert.True(file.Read(3, Span<byte>.Empty).IsOk);
    }

    [Fact]
    public void Open_modes_say_what_must_exist()
    {
        Assert.Equal(DiskErrorKind.NotFound, Disk.Open("a", DiskOpenMode.Read).Error.Kind);
        Assert.Equal(DiskErrorKind.NotFound, Disk.Open("a", DiskOpenMode.ReadWrite).Error.Kind);
        Disk.Open("a", DiskOpenMode.OpenOrCreate).Value.Dispose();
        Assert.Equal(DiskErrorKind.AlreadyExists, Disk.Open("a", DiskOpenMode.CreateNew).Error.Kind);
        Disk.Open("a", DiskOpenMode.OpenOrCreate).Value.Dispose();
        using IDiskFile file = Disk.Open("a", DiskOpenMode.Read).Value;
        Assert.Equal("a", file.Path);
    }

    [Fact]
    public void A_file_in_a_folder_that_does_not_exist_is_not_found()
    {
        Assert.Equal(DiskErrorKind.NotFound, Disk.Open("no/a", DiskOpenMode.OpenOrCreate).Error.Kind);
        Assert.Equal(DiskErrorKind.NotFound, Disk.Delete("no/a").Error.Kind);
        Assert.Equal(DiskErrorKind.NotFound, Disk.Rename("no", "b").Error.Kind);
    }

    [Fact]
    public void Folders_list_their_files_in_ordinal_order()
    {
        Assert.Empty(Disk.List("f").Value);
        Assert.True(Disk.CreateDirectory("f/g").IsOk);
        Assert.True(Disk.CreateDirectory("f/g").IsOk);
        foreach (string name in new[] { "f/b", "f/B", "f/a10", "f/a2", "f/g/x" })
        {
            Disk.Open(name, DiskOpenMode.CreateNew).Value.Dispose();
        }

        Assert.Equal(["B", "a10", "a2", "b"], Disk.List("f").Value);
        Assert.True(Disk.SyncDirectory("f").IsOk);
    }

    [Fact]
    public void Delete_removes_the_name_and_an_open_file_stays_readable()
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(0, "abc"u8).IsOk);
        Assert.True(Disk.Delete("a").IsOk);
        Assert.Equal("abc"u8.ToArray(), Read(file, 0, 3));
        Assert.Equal(DiskErrorKind.NotFound, Disk.Open("a", DiskOpenMode.Read).Error.Kind);
    }

    [Fact]
    public void Rename_replaces_what_had_the_name()
    {
        WriteAll("a", "new"u8);
        WriteAll("b", "the old one"u8);
        Assert.True(Disk.Rename("a", "b").IsOk);
        using IDiskFile file = Disk.Open("b", DiskOpenMode.Read).Value;
        Assert.Equal(3, file.Length().Value);
        Assert.Equal("new"u8.ToArray(), Read(file, 0, 3));
        Assert.Equal(["b"], Disk.List("").Value);
    }

    [Fact]
    public void Preallocation_extends_and_keeps_what_is_there()
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(0, "abc"u8).IsOk);
        Assert.True(file.Preallocate(100_000).IsOk);
        Assert.Equal(100_000, file.Length().Value);
        Assert.Equal("abc\0"u8.ToArray(), Read(file, 0, 4));
        Assert.True(file.Preallocate(10).IsOk);
        Assert.Equal(100_000, file.Length().Value);
    }

    [Fact]
    public void A_length_cuts_and_extends_with_zeros()
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(0, "abcdef"u8).IsOk);
        Assert.True(file.SetLength(2).IsOk);
        Assert.True(file.SetLength(4).IsOk);
        Assert.Equal("ab\0\0"u8.ToArray(), Read(file, 0, 4));
        Assert.Equal(4, file.Length().Value);
    }

    [Fact]
    public void A_punched_hole_reads_as_zeros_and_keeps_the_length()
    {
        using IDiskFile file = Disk.Open("a", DiskOpenMode.CreateNew).Value;
        byte[] data = Enumerable.Repeat((byte)7, 20_000).ToArray();
        Assert.True(file.Write(0, data).IsOk);
        Assert.True(file.PunchHole(100, 15_000).IsOk);
        data.AsSpan(100, 15_000).Clear();
        Assert.Equal(20_000, file.Length().Value);
        Assert.Equal(data, Read(file, 0, 20_000));
    }

    [Fact]
    public void A_lock_keeps_a_second_opener_out_until_it_is_closed()
    {
        IDiskFile first = Disk.Open("lock", DiskOpenMode.OpenOrCreate).Value;
        using IDiskFile second = Disk.Open("lock", DiskOpenMode.OpenOrCreate).Value;
        Assert.True(first.TryLock().IsOk);
        Assert.Equal(DiskErrorKind.Locked, second.TryLock().Error.Kind);
        first.Dispose();
        Assert.True(second.TryLock().IsOk);
    }

    [Fact]
    public void Sync_and_space_answer()
    {
        WriteAll("a", "abc"u8);
        using IDiskFile file = Disk.Open("a", DiskOpenMode.ReadWrite).Value;
        Assert.True(file.Sync().IsOk);
        DiskSpace space = Disk.Space().Value;
        Assert.InRange(space.FreeBytes, 0, space.TotalBytes);
    }

    private void WriteAll(string path, ReadOnlySpan<byte> data)
    {
        using IDiskFile file = Disk.Open(path, DiskOpenMode.CreateNew).Value;
        Result<Unit, DiskError> written = file.Write(0, data);
        Assert.True(written.IsOk);
    }

    private static byte[] Read(IDiskFile file, long offset, int length)
    {
        byte[] buffer = new byte[length];
        Assert.True(file.Read(offset, buffer).IsOk);
        return buffer;
    }
}
