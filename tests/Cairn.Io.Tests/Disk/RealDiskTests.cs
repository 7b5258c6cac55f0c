using System.Diagnostics;
using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Storage.Ports;

namespace Cairn.Io.Tests.Disk;

public sealed class RealDiskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RealDisk _disk;

    public RealDiskTests() => _disk = RealDisk.OpenRoot(_folder["home"]).Value;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("../a")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b")]
    public void A_path_that_leaves_the_root_is_a_bug(string path) =>
        Assert.Throws<InvariantException>(() => _disk.Open(path, DiskOpenMode.Read));

    [Fact]
    public void Files_and_folders_are_for_the_owner_alone()
    {
        Assert.True(_disk.CreateDirectory("f").IsOk);
        _disk.Open("f/a", DiskOpenMode.CreateNew).Value.Dispose();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["home/f/a"]));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(_folder["home/f"]));
    }

    [Fact]
    public void A_lock_held_by_another_process_is_seen_and_ends_with_it()
    {
        using IDiskFile file = _disk.Open("lock", DiskOpenMode.OpenOrCreate).Value;
        var start = new ProcessStartInfo("flock") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in new[] { "-x", _folder["home/lock"], "-c", "echo held; cat" })
        {
            start.ArgumentList.Add(argument);
        }

        using Process other = Process.Start(start)!;
        Assert.Equal("held", other.StandardOutput.ReadLine());
        Assert.Equal(DiskErrorKind.Locked, file.TryLock().Error.Kind);
        other.StandardInput.Close();
        other.WaitForExit();
        Assert.True(file.TryLock().IsOk);
    }

    [Fact]
    public void Calls_that_succeed_allocate_nothing()
    {
        using IDiskFile file = _disk.Open("a", DiskOpenMode.CreateNew).Value;
        byte[] data = new byte[4096];
        byte[] bulk = new byte[300_000];
        long before = 0;
        for (int round = 0; round < 3; round++)
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 100; i++)
            {
                _ = file.Write(i * 4096, data);
                _ = file.Write(i * 4096, data.AsSpan(0, 96), data.AsSpan(96));
                _ = file.Read(i * 4096, data);
                _ = file.Length();
            }

            _ = file.WriteBulk(1000, bulk.AsSpan(0, 64), bulk.AsSpan(64));
            _ = file.ReadBulk(1000, bulk);
            _ = file.ReadOnce(1000, bulk);
            _ = file.Sync();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_device_without_room_is_a_typed_error_on_every_kind_of_write()
    {
        RealDisk devices = RealDisk.OpenRoot("/dev").Value;
        using IDiskFile full = devices.Open("full", DiskOpenMode.ReadWrite).Value;
        Assert.Equal(DiskErrorKind.NoSpace, full.Write(0, "abc"u8).Error.Kind);
        DiskError error = full.Write(0, "abc"u8, "def"u8).Error;
        Assert.Equal(DiskErrorKind.NoSpace, error.Kind);
        Assert.Equal("full", error.Path);
        Assert.Contains("No space left", error.Detail, StringComparison.Ordinal);
    }
}
