using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Simulation.Volumes;

namespace Cairn.Node.Tests.Volumes;

/// <summary>A volume by path.</summary>
public sealed class PathFacadeTests
{
    private readonly MemoryVolume _volume = new("memory", seed: 1, TimeProvider.System);

    /// <summary>A daemon that calls itself for each level ends when its stack does.</summary>
    [Fact]
    public async Task A_tree_deeper_than_the_stack_is_removed()
    {
        InodeNumber folder = InodeNumber.Root;
        for (int depth = 0; depth < 20_000; depth++)
        {
            folder = (await _volume.MakeDirectory(folder, "d"u8.ToArray(), 0x1ED, Caller.Daemon)).Value.Inode;
        }

        Assert.Equal(VolumeError.NotEmpty, (await Remove(recursive: false)).Error);
        Assert.True((await Remove(recursive: true)).IsOk);
        Assert.Empty((await _volume.ReadDirectory(InodeNumber.Root, 0, 10)).Value);
        Assert.Equal(VolumeError.NotFound, (await Remove(recursive: true)).Error);
    }

    [Fact]
    public async Task Folders_with_more_than_one_listing_holds_are_emptied()
    {
        foreach (string folder in (string[])["d", "d/e"])
        {
            Assert.True((await _volume.MakeDirectories(folder, parents: false, Caller.Daemon)).IsOk);
            InodeNumber inode = (await _volume.Resolve(folder)).Value.Inode;
            for (int number = 0; number < 600; number++)
            {
                byte[] name = System.Text.Encoding.UTF8.GetBytes($"file {number}");
                OpenedFile made =
                    (await _volume.Create(inode, name, 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
                Assert.True((await _volume.Release(made.Handle)).IsOk);
            }
        }

        Assert.True((await Remove(recursive: true)).IsOk);
        Assert.Empty((await _volume.ReadDirectory(InodeNumber.Root, 0, 10)).Value);
    }

    private ValueTask<Result<Unit, VolumeError>> Remove(bool recursive) =>
        _volume.Remove(InodeNumber.Root, "d"u8.ToArray(), recursive, Caller.Daemon);
}
