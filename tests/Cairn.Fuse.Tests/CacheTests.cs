using System.Text;
using Cairn.Node.Volumes;
using Cairn.Simulation.Volumes;
using static Cairn.Fuse.Tests.Opcodes;

namespace Cairn.Fuse.Tests;

/// <summary>What the kernel caches, and that it lets go of it when others change something.</summary>
public sealed class CacheTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task StatOpenAndRead_AreAskedOnce()
    {
        await using MountedVolume drive = MountedVolume.Create();
        string path = drive.PathOf("f");
        File.WriteAllText(path, "content");
        Assert.False(File.Exists(drive.PathOf("absent")));
        _ = File.ReadAllText(path);
        long[] before = [.. new[] { Lookup, GetAttr, ReadOp }.Select(drive.Session.RequestCount)];
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal("content", File.ReadAllText(path));
            Assert.False(File.Exists(drive.PathOf("absent")));
        }

        long[] after = [.. new[] { Lookup, GetAttr, ReadOp }.Select(drive.Session.RequestCount)];
        Assert.Equal((before[0], before[2]), (after[0], after[2]));
        Assert.True(after[1] - before[1] <= 21, "at most one question about the access time each");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatWasWritten_IsReadFromTheCache(bool isLate)
    {
        await using MountedVolume drive = MountedVolume.Create(isLate: isLate);
        byte[] content = new byte[5 << 20];
        new Cairn.Core.Primitives.Prng(1).Fill(content);
        File.WriteAllBytes(drive.PathOf("f"), content);
        Assert.Equal(content, File.ReadAllBytes(drive.PathOf("f")));
        Assert.Equal(0, drive.Session.RequestCount(ReadOp));
    }

    [Fact]
    public async Task Files_CloseWithoutARequestThatIsWaitedFor()
    {
        await using MountedVolume drive = MountedVolume.Create();
        File.WriteAllText(drive.PathOf("f"), "content");
        Assert.Equal("content", File.ReadAllText(drive.PathOf("f")));
        Assert.Equal(0, drive.Session.RequestCount(Flush));
    }

    /// <summary>After all was folded again it is not known which names went: the kernel must ask for each.</summary>
    [Fact]
    public async Task NamesAreAskedForAgain_WhenNobodyKnowsWhichChanged()
    {
        Assert.SkipUnless(Environment.OSVersion.Version >= new Version(6, 16), "the kernel cannot be told");
        await using MountedVolume drive = MountedVolume.Create();
        Directory.CreateDirectory(drive.PathOf("folder"));
        File.WriteAllText(drive.PathOf("folder/f"), "content");
        drive.Run("ls folder; stat folder/f");
        long asked = drive.Session.RequestCount(Lookup);
        long listed = drive.Session.RequestCount(ReadDirectoryPlus);
        drive.Run("ls folder; stat folder/f");
        Assert.Equal(asked, drive.Session.RequestCount(Lookup));
        Assert.Equal(listed, drive.Session.RequestCount(ReadDirectoryPlus));
        drive.Volume.ChangeNames();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                drive.Run("ls folder; stat folder/f");
                return drive.Session.RequestCount(Lookup) >= asked + 2
                    && drive.Session.RequestCount(ReadDirectoryPlus) > listed;
            },
            Patience));
    }

    [Fact]
    public async Task ListingsAreKept_UntilSomebodyElseChangesThem_WhateverTheDirectorysTimeSays()
    {
        await using MountedVolume drive = MountedVolume.Create();
        string path = drive.PathOf("d");
        Directory.CreateDirectory(path);
        InodeNumber directory = (await drive.Volume.Lookup(InodeNumber.Root, "d"u8.ToArray())).Value.Inode;
        AttributeChange time = new() { Modified = new Core.Primitives.WallTime(1_000_000_000_000) };
        await drive.Volume.SetAttributes(directory, time, null, Caller.Daemon);
        Eventually(() => Directory.GetLastWriteTimeUtc(path).Year < 2026);
        Assert.Empty(Directory.GetFileSystemEntries(path));
        long asked = drive.Session.RequestCount(ReadDirectoryPlus);
        Assert.Empty(Directory.GetFileSystemEntries(path));
        Assert.Equal(asked, drive.Session.RequestCount(ReadDirectoryPlus));

        // A name that is older than the directory's last change, as one from a machine that was away can be.
        await drive.Volume.MakeDirectory(directory, "late"u8.ToArray(), 0x1ED, Caller.Daemon);
        await drive.Volume.SetAttributes(directory, time, null, Caller.Daemon);
        Assert.Equal("late", Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(path))));
    }

    [Fact]
    public async Task AppearingChangedAndVanishedFiles_AreSeen()
    {
        await using MountedVolume drive = MountedVolume.Create();
        MemoryVolume other = drive.Volume;
        string path = drive.PathOf("f");
        Assert.False(File.Exists(path));
        OpenedFile file = (await other.Create(
            InodeNumber.Root, "f"u8.ToArray(), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        await other.Write(file.Handle, 0, "one"u8.ToArray());
        Eventually(() => File.Exists(path) && File.ReadAllText(path) == "one");

        using FileStream reader = File.OpenRead(path);
        await other.Write(file.Handle, 0, "changed content"u8.ToArray());
        Eventually(() => File.ReadAllText(path) == "changed content");
        Eventually(() =>
        {
            byte[] bytes = new byte[50];
            reader.Seek(0, SeekOrigin.Begin);
            return Encoding.UTF8.GetString(bytes.AsSpan(0, reader.Read(bytes))) == "changed content";
        });

        await other.SetAttributes(
            file.Attributes.Inode, new AttributeChange { Mode = 0b100_000_000 }, null, Caller.Daemon);
        Eventually(() => File.GetUnixFileMode(path) == UnixFileMode.UserRead);
        await other.Release(file.Handle);
        await other.Unlink(InodeNumber.Root, "f"u8.ToArray(), Caller.Daemon);
        Eventually(() => !File.Exists(path));
    }

    [Fact]
    public async Task Listings_ShowWhatOthersAddAndRemove()
    {
        await using MountedVolume drive = MountedVolume.Create();
        drive.Run("touch a b c; ls; ls");
        await drive.Volume.MakeDirectory(InodeNumber.Root, "d"u8.ToArray(), 0x1ED, Caller.Daemon);
        await drive.Volume.Unlink(InodeNumber.Root, "b"u8.ToArray(), Caller.Daemon);
        Eventually(() => drive.Run("ls") == "a\nc\nd\n");
    }

    [Fact]
    public async Task ReplacedByRename_OldReadersKeepTheOldObject()
    {
        await using MountedVolume drive = MountedVolume.Create();
        File.WriteAllText(drive.PathOf("f"), "old");
        File.WriteAllText(drive.PathOf("new"), "new");
        using FileStream reader = File.OpenRead(drive.PathOf("f"));
        await drive.Volume.Rename(
            InodeNumber.Root, "new"u8.ToArray(), InodeNumber.Root, "f"u8.ToArray(), RenameMode.Replace, Caller.Daemon);
        Eventually(() => File.ReadAllText(drive.PathOf("f")) == "new" && !File.Exists(drive.PathOf("new")));
        using var text = new StreamReader(reader);
        Assert.Equal("old", text.ReadToEnd());
    }

    [Fact]
    public async Task ManyChangesByOthers_WhileTheMountIsBusy_NeverBlock()
    {
        await using MountedVolume drive = MountedVolume.Create(isLate: true);
        drive.Run("for i in $(seq 50); do head -c 300000 /dev/urandom > f$i; done");
        Task reads = Task.Run(() => drive.Run("for r in 1 2 3; do cat f* | wc -c; ls -l > /dev/null; done"));
        Task writes = Task.Run(async () =>
        {
            while (!reads.IsCompleted)
            {
                IReadOnlyList<DirectoryEntry> entries =
                    (await drive.Volume.ReadDirectory(InodeNumber.Root, 0, 100)).Value;
                foreach (DirectoryEntry entry in entries)
                {
                    OpenHandle handle = (await drive.Volume.Open(
                        entry.Attributes.Inode, OpenIntent.Write, Caller.Daemon)).Value.Handle;
                    await drive.Volume.Write(handle, 100_000, new byte[1000]);
                    await drive.Volume.Release(handle);
                }
            }
        });
        await Task.WhenAll(reads, writes).WaitAsync(TimeSpan.FromSeconds(60));
    }

    private static void Eventually(Func<bool> condition)
    {
        bool isMet = SpinWait.SpinUntil(
            () =>
            {
                try
                {
                    return condition();
                }
                catch (IOException)
                {
                    return false;
                }
            },
            Patience);
        Assert.True(isMet, "the kernel still shows what was");
    }
}
