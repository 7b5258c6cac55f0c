using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Storage.Ports;

namespace Cairn.Io.Tests.Disk;

/// <summary>What a full and what a dying file system look like through <see cref="RealDisk"/>.</summary>
public sealed class FailingDiskTests
{
    [Fact]
    public void A_full_disk_is_a_typed_error_and_writing_goes_on_once_there_is_room()
    {
        using LoopFileSystem small = LoopFileSystem.MountOrSkip(8);
        RealDisk disk = RealDisk.OpenRoot(small.Path).Value;
        using IDiskFile ballast = disk.Open("ballast", DiskOpenMode.CreateNew).Value;
        using IDiskFile file = disk.Open("file", DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(0, "kept"u8).IsOk);
        Assert.True(file.Sync().IsOk);

        byte[] block = new byte[64 * 1024];
        long length = 0;
        Result<Unit, DiskError> written;
        while ((written = ballast.Write(length, block)).IsOk)
        {
            length += block.Length;
        }

        Assert.Equal(DiskErrorKind.NoSpace, written.Error.Kind);
        Assert.Equal(DiskErrorKind.NoSpace, file.Write(4096, block).Error.Kind);
        Assert.Equal(DiskErrorKind.NoSpace, file.Write(4096, block, block).Error.Kind);
        Assert.Equal(DiskErrorKind.NoSpace, file.Preallocate(1 << 20).Error.Kind);
        Assert.InRange(disk.Space().Value.FreeBytes, 0, 64 * 1024);

        byte[] kept = new byte[4];
        Assert.True(file.Read(0, kept).IsOk);
        Assert.Equal("kept"u8.ToArray(), kept);

        Assert.True(ballast.SetLength(0).IsOk);
        Assert.True(file.Write(4096, block).IsOk);
        Assert.True(file.Sync().IsOk);
    }

    [Fact]
    public void A_refused_preallocation_costs_nothing()
    {
        using LoopFileSystem small = LoopFileSystem.MountOrSkip(8);
        RealDisk disk = RealDisk.OpenRoot(small.Path).Value;
        using IDiskFile file = disk.Open("file", DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(0, "abc"u8).IsOk);
        Assert.True(file.Sync().IsOk);
        long free = disk.Space().Value.FreeBytes;
        Assert.Equal(DiskErrorKind.NoSpace, file.Preallocate(100L << 20).Error.Kind);
        Assert.Equal(3, file.Length().Value);
        Assert.InRange(disk.Space().Value.FreeBytes, free - 65_536, long.MaxValue);
    }

    [Fact]
    public void Preallocated_space_cannot_be_taken_by_others()
    {
        using LoopFileSystem small = LoopFileSystem.MountOrSkip(8);
        RealDisk disk = RealDisk.OpenRoot(small.Path).Value;
        using IDiskFile ours = disk.Open("ours", DiskOpenMode.CreateNew).Value;
        using IDiskFile theirs = disk.Open("theirs", DiskOpenMode.CreateNew).Value;
        Assert.True(ours.Preallocate(2 << 20).IsOk);
        byte[] block = new byte[64 * 1024];
        for (long at = 0; theirs.Write(at, block).IsOk; at += block.Length)
        {
            // Until the disk is full.
        }

        for (long at = 0; at < 2 << 20; at += block.Length)
        {
            Assert.True(ours.Write(at, block).IsOk);
        }

        Assert.True(ours.Sync().IsOk);
    }

    [Fact]
    public void A_sync_that_failed_is_an_error_and_stays_one()
    {
        using LoopFileSystem dying = LoopFileSystem.MountOrSkip(16);
        RealDisk disk = RealDisk.OpenRoot(dying.Path).Value;
        using IDiskFile file = disk.Open("file", DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(0, new byte[4096]).IsOk);
        Assert.True(file.Sync().IsOk);
        Assert.True(file.Write(4096, new byte[4096]).IsOk);
        dying.CutPower();
        Assert.Equal(DiskErrorKind.InputOutput, file.Sync().Error.Kind);
        Assert.Equal(DiskErrorKind.InputOutput, file.Sync().Error.Kind);
        Assert.Equal(DiskErrorKind.InputOutput, file.Write(0, new byte[10]).Error.Kind);
        Assert.Equal(DiskErrorKind.InputOutput, disk.SyncDirectory(".").Error.Kind);
    }
}
