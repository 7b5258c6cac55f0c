using System.Buffers.Binary;
using System.Text;
using Cairn.Fuse.Session;
using Cairn.Node.Volumes;
using Cairn.Simulation.Time;
using Cairn.Simulation.Volumes;
using static Cairn.Fuse.Tests.FakeChannel;
using static Cairn.Fuse.Tests.Opcodes;

namespace Cairn.Fuse.Tests;

/// <summary>The kernel learns of a longer length only when it has no page any more of when the file was shorter.</summary>
public sealed class UntoldLengthsTests
{
    private const long Attributes = -1;

    private readonly MemoryVolume _volume = new("memory", seed: 3, TimeProvider.System);
    private readonly FakeChannel _kernel = new();
    private readonly FuseSession _session;

    public UntoldLengthsTests()
    {
        // Of the two times that each change is told the second is left out: no time passes.
        _session = new FuseSession(
            _volume, FuseOptions.Default, new SimulatedScheduler().CreateProcess("mount").Time, _ => { });
        _session.Attach(_kernel);
    }

    [Fact]
    public async Task AGrownFile_HasItsOldLength_UntilTheOldPagesAreDropped()
    {
        OpenedFile file = await Make();
        await Append(file, 100);
        ulong node = file.Attributes.Inode.Value;
        Assert.Equal((100, 100, 100), (Length(node), LengthByName(), LengthByListing()));
        FakeExchange read = Ask(ReadOp, node, U64(file.Handle.Value, 0), U32(4096, 0), new byte[16]);
        Assert.Equal(200, read.Body.Length);

        byte[] pages = Assert.Single(_kernel.Notifications);
        Assert.Equal(0, OffsetOf(pages));
        _session.NoticeBegins(pages);
        Assert.Equal(100, Length(node));
        _session.NoticeTaken(pages);
        Assert.Equal((200, 200, 200), (Length(node), LengthByName(), LengthByListing()));
        Assert.Equal(Attributes, OffsetOf(_kernel.Notifications[^1]));
        Assert.Equal(2, _kernel.Notifications.Count);
    }

    [Fact]
    public async Task ALengthThatNobodyWasTold_IsNotCalledBack()
    {
        OpenedFile file = await Make();
        await Append(file, 100);
        Take(Assert.Single(_kernel.Notifications));
        Assert.Single(_kernel.Notifications);
        Assert.Equal(200, Length(file.Attributes.Inode.Value));
    }

    [Fact]
    public async Task WhatGrowsWhilePagesAreDropped_HasToBeToldAgain()
    {
        OpenedFile file = await Make();
        ulong node = file.Attributes.Inode.Value;
        await Append(file, 100);
        byte[] pages = _kernel.Notifications[0];
        _session.NoticeBegins(pages);
        await Append(file, 100);
        _session.NoticeTaken(pages);
        Assert.Equal(100, Length(node));
        Take(pages);
        Assert.Equal(300, Length(node));
    }

    [Fact]
    public async Task AShorterLength_IsToldAtOnce_AndKeptWhenTheFileGrowsAgain()
    {
        OpenedFile file = await Make();
        ulong node = file.Attributes.Inode.Value;
        await _volume.SetAttributes(
            file.Attributes.Inode, new AttributeChange { SizeBytes = 50 }, null, Caller.Daemon);
        Assert.Equal(50, Length(node));
        await Append(file, 200);
        Assert.Equal(50, Length(node));
        Take(_kernel.Notifications[0]);
        Assert.Equal(250, Length(node));
    }

    [Fact]
    public async Task AFileWithoutContent_HasItsFirstLengthAtOnce()
    {
        OpenedFile file = await Create("new");
        await _volume.Write(file.Handle, 0, new byte[70]);
        Assert.Equal(70, Length(file.Attributes.Inode.Value));
    }

    [Fact]
    public async Task WhoWritesHere_IsToldTheTrueLength_WhoChangesAttributesIsNot()
    {
        const uint mode = 1;
        OpenedFile file = await Make();
        ulong node = file.Attributes.Inode.Value;
        await Append(file, 100);
        FakeExchange changed = Ask(SetAttr, node, U32(mode, 0), new byte[60], U32(0x180), new byte[16]);
        Assert.Equal(100, BinaryPrimitives.ReadInt64LittleEndian(changed.Body[24..]));
        Ask(WriteOp, node, U64(file.Handle.Value, 10), U32(3, 0), new byte[16], [1, 2, 3]);
        Assert.Equal(200, Length(node));
    }

    [Fact]
    public async Task Programs_NeverReadZeros_WhereAFileEndedBefore()
    {
        HeldNotices held = null!;
        await using MountedVolume drive = MountedVolume.Create(between: session => held = new HeldNotices(session));
        OpenedFile file = (await drive.Volume.Create(
            InodeNumber.Root, "f"u8.ToArray(), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        await drive.Volume.Write(file.Handle, 0, Text(100));
        Assert.Equal(new string('x', 100), drive.Run("cat f"));
        held.Hold();
        await drive.Volume.Write(file.Handle, 100, Text(100));

        // The kernel was told nothing, and asks all the same.
        Assert.Equal("100\n", drive.Run("stat --cached=never -c %s f"));
        Assert.Equal(new string('x', 100), drive.Run("cat f"));
        held.LetGo();
        Assert.True(SpinWait.SpinUntil(
            () => drive.Run("stat -c %s f") == "200\n", TimeSpan.FromSeconds(10)), "the new length is not told");
        Assert.Equal(new string('x', 200), drive.Run("cat f"));
        await drive.Volume.Release(file.Handle);
    }

    private static byte[] Text(int count) => Encoding.ASCII.GetBytes(new string('x', count));

    private static long OffsetOf(byte[] notice) => BinaryPrimitives.ReadInt64LittleEndian(notice.AsSpan(24));

    private void Take(byte[] notice)
    {
        _session.NoticeBegins(notice);
        _session.NoticeTaken(notice);
    }

    /// <summary>A file of 100 bytes that the kernel was told of.</summary>
    private async Task<OpenedFile> Make()
    {
        OpenedFile file = await Create("f");
        await _volume.Write(file.Handle, 0, new byte[100]);
        Assert.Equal(100, Length(file.Attributes.Inode.Value));
        _kernel.Notifications.Clear();
        return file;
    }

    private async Task<OpenedFile> Create(string name) => (await _volume.Create(
        InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenIntent.Read | OpenIntent.Write,
        Caller.Daemon)).Value;

    private async Task Append(OpenedFile file, int count)
    {
        long length = (await _volume.GetAttributes(file.Attributes.Inode)).Value.SizeBytes;
        await _volume.Write(file.Handle, length, new byte[count]);
    }

    private long Length(ulong node) =>
        BinaryPrimitives.ReadInt64LittleEndian(Ask(GetAttr, node, new byte[16]).Body[24..]);

    private long LengthByName() =>
        BinaryPrimitives.ReadInt64LittleEndian(Ask(Lookup, 1, Name("f")).Body[48..]);

    /// <summary>Its entry comes behind those of the two dots.</summary>
    private long LengthByListing()
    {
        const int dotBytes = 128 + 32;
        FakeExchange listed = Ask(ReadDirectoryPlus, 1, U64(0, 0), U32(4096, 0), U64(0), U32(0, 0));
        return BinaryPrimitives.ReadInt64LittleEndian(listed.Body[((2 * dotBytes) + 48)..]);
    }

    private FakeExchange Ask(int opcode, ulong node, params byte[][] body)
    {
        FakeExchange exchange = _kernel.Request(opcode, node, body);
        _session.Handle(exchange);
        Assert.Equal((1, 0), (exchange.Endings, exchange.Error));
        return exchange;
    }
}
