using Cairn.Core.Primitives;
using Cairn.Fuse.Session;
using Cairn.Io.FuseDevice;
using Cairn.Simulation.Volumes;

namespace Cairn.Fuse.Tests;

/// <summary>Mount points that cannot be, mounts that are in use, and mounts whose daemon is dead.</summary>
public sealed class MountErrorTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cairn-mount-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void NoDirectory() => Fails(MountErrorKind.NotFound, Path.Combine(_directory, "none"));

    [Fact]
    public void AFile()
    {
        string file = Path.Combine(_directory, "file");
        File.WriteAllText(file, "x");
        Fails(MountErrorKind.NotADirectory, file);
    }

    [Fact]
    public void NotEmpty()
    {
        File.WriteAllText(Path.Combine(_directory, "file"), "x");
        Fails(MountErrorKind.NotEmpty, _directory);
    }

    [Fact]
    public void AMountOfAnotherKind() => Fails(MountErrorKind.Busy, "/proc");

    [Fact]
    public async Task AlreadyMounted()
    {
        await using MountedVolume drive = MountedVolume.Create();
        Fails(MountErrorKind.Busy, drive.Directory);
    }

    [Fact]
    public async Task Unmount_WhileBusy_IsRefused_UnlessForced()
    {
        await using MountedVolume drive = MountedVolume.Create();
        string path = drive.PathOf("f");
        FileStream file = File.Create(path);
        Result<Unit, MountError> refused = drive.Mount.Unmount(force: false);
        Assert.Equal(MountErrorKind.Busy, refused.Error.Kind);
        Assert.True(drive.Mount.Unmount(force: true).IsOk);
        Assert.Empty(Directory.EnumerateFileSystemEntries(drive.Directory));
        file.Write([1, 2, 3]);
        file.Flush();
        Assert.False(drive.Mount.Completion.IsCompleted);
        file.Dispose();
        await drive.Mount.Completion.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(3, (await drive.Volume.Lookup(Node.Volumes.InodeNumber.Root, "f"u8.ToArray())).Value.SizeBytes);
    }

    [Fact]
    public async Task Disposal_WhileBusy_CutsOffAndReleases()
    {
        MountedVolume drive = MountedVolume.Create();
        using FileStream file = File.Create(drive.PathOf("f"), bufferSize: 0);
        file.Write([1]);
        await drive.DisposeAsync();
        Assert.Throws<IOException>(() => file.Write([2]));
    }

    [Fact]
    public async Task Unmount_ByAnybody_EndsTheMount()
    {
        await using MountedVolume drive = MountedVolume.Create();
        drive.Run("cd /; umount -- \"$OLDPWD\"");
        await drive.Mount.Completion.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(drive.Mount.Unmount(force: false).IsOk);
    }

    [Fact]
    public async Task ADeadMount_IsClearedAway()
    {
        MountedVolume.SkipIfImpossible();
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "python3 is not installed");

        // A daemon that mounted and was killed: what it leaves answers "transport endpoint is not connected".
        const string DeadDaemon = """
            import ctypes, os, sys
            libc = ctypes.CDLL(None, use_errno=True)
            fd = os.open("/dev/fuse", os.O_RDWR)
            data = ("fd=%d,rootmode=40000,user_id=0,group_id=0" % fd).encode()
            assert libc.mount(b"dead", sys.argv[1].encode(), b"fuse.cairn", 0, data) == 0
            os.kill(os.getpid(), 9)
            """;
        using var daemon = System.Diagnostics.Process.Start("/usr/bin/python3", ["-c", DeadDaemon, _directory]);
        await daemon.WaitForExitAsync();
        Assert.ThrowsAny<IOException>(() => Directory.GetFileSystemEntries(_directory));
        var volume = new MemoryVolume("memory", seed: 1, TimeProvider.System);
        Result<FuseMount, MountError> mounted = TryMount(_directory, volume);
        Assert.True(mounted.IsOk, mounted.ToString());
        File.WriteAllText(Path.Combine(_directory, "alive"), "x");
        await mounted.Value.DisposeAsync();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public async Task Helper_MountsAndUnmounts()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/fusermount3"), "fusermount3 is not installed");
        await using MountedVolume drive = MountedVolume.Create(mountOptions: new FuseMountOptions { UseHelper = true });
        drive.Run("echo x > f; cat f; grep -q \" $PWD fuse.cairn \" /proc/mounts");
        using (File.OpenRead(drive.PathOf("f")))
        {
            Assert.Equal(MountErrorKind.Busy, drive.Mount.Unmount(force: false).Error.Kind);
        }
    }

    [Theory]
    [InlineData("36 35 98:0 / /mnt/a\\040b rw,noatime master:1 - fuse.cairn cai\\134rn rw", "/mnt/a b", "cai\\rn")]
    [InlineData("36 35 98:0 / /mnt rw - fuse.cairn x rw", "/mnt", "x")]
    public void MountTable_IsRead(string line, string directory, string source) =>
        Assert.Equal(new MountEntry("98:0", directory, "fuse.cairn", source), MountTable.Parse(line));

    [Theory]
    [InlineData("")]
    [InlineData("36 35 98:0 / /mnt rw fuse x rw")]
    [InlineData("36 35 98:0 / /mnt rw -")]
    public void MountTable_IgnoresWhatItCannotRead(string line) => Assert.Null(MountTable.Parse(line));

    private static void Fails(MountErrorKind expected, string directory)
    {
        MountedVolume.SkipIfImpossible();
        Result<FuseMount, MountError> mounted =
            TryMount(directory, new MemoryVolume("memory", seed: 1, TimeProvider.System));
        Assert.False(mounted.IsOk);
        Assert.Equal(expected, mounted.Error.Kind);
        Assert.StartsWith($"{directory}: ", mounted.Error.ToString(), StringComparison.Ordinal);
    }

    private static Result<FuseMount, MountError> TryMount(string directory, MemoryVolume volume) =>
        FuseMounter.Mount(
            directory,
            FuseMountOptions.Default,
            new FuseSession(volume, FuseOptions.Default, TimeProvider.System, Unexpected),
            Unexpected);

    private static void Unexpected(Exception bug) => Assert.Fail(bug.ToString());
}
