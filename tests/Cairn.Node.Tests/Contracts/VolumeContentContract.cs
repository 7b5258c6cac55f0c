using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Contracts;

/// <summary>Reading, writing, sizes, holes and open handles.</summary>
public abstract class VolumeContentContract : VolumeNamespaceContract
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(200_000)]
    [InlineData(3_000_000)]
    public async Task Content_IsReadBackOpenAndClosed(int length)
    {
        byte[] content = Pattern(length, seed: length);
        OpenedFile file = await CreateFile("f");
        await WriteAll(file.Handle, 0, content);
        Assert.Equal(content, await Read(file.Handle, 0, length + 10));
        Assert.Equal(length, (await Ok(Volume.GetAttributes(file.Attributes.Inode))).SizeBytes);
        await Ok(Volume.Sync(file.Handle, dataOnly: false));
        await Close(file.Handle);
        Assert.Equal(content, await ReadAll(file.Attributes.Inode));
        Assert.Equal(length, (await Ok(Volume.Lookup(Root, Name("f")))).SizeBytes);
    }

    [Fact]
    public async Task Writes_AreSeenThroughOtherHandlesAtOnce()
    {
        InodeNumber f = await MakeFile("f", [1, 2, 3, 4]);
        OpenHandle writer = await Open(f);
        OpenHandle reader = await Open(f, OpenIntent.Read);
        await WriteAll(writer, 1, [9, 9]);
        Assert.Equal([1, 9, 9, 4], await Read(reader, 0, 10));
        await Close(writer);
        Assert.Equal([1, 9, 9, 4], await Read(reader, 0, 10));
        await Close(reader);
    }

    [Fact]
    public async Task Reads_AtAndPastTheEnd_AreShort()
    {
        InodeNumber f = await MakeFile("f", [1, 2, 3]);
        OpenHandle handle = await Open(f, OpenIntent.Read);
        Assert.Equal([3], await Read(handle, 2, 5));
        Assert.Empty(await Read(handle, 3, 5));
        Assert.Empty(await Read(handle, 1 << 30, 5));
        await Close(handle);
    }

    [Fact]
    public async Task Holes_ReadAsZeros()
    {
        OpenedFile file = await CreateFile("f");
        await WriteAll(file.Handle, 10_000_000, [7]);
        Assert.Equal(10_000_001, (await Ok(Volume.GetAttributes(file.Attributes.Inode))).SizeBytes);
        Assert.Equal(new byte[100], await Read(file.Handle, 5_000_000, 100));
        Assert.Equal([0, 7], await Read(file.Handle, 9_999_999, 2));
        await Close(file.Handle);
        byte[] expected = new byte[10_000_001];
        expected[^1] = 7;
        Assert.Equal(expected, await ReadAll(file.Attributes.Inode));
        Assert.True((await Ok(Volume.GetAttributes(file.Attributes.Inode))).DataBytes < 5_000_000);
    }

    [Fact]
    public async Task Truncate_CutsAndExtendsWithZeros()
    {
        byte[] content = Pattern(300_000, seed: 1);
        InodeNumber f = await MakeFile("f", content);
        await Ok(Volume.SetAttributes(f, new AttributeChange { SizeBytes = 100_001 }, null, User));
        Assert.Equal(content[..100_001], await ReadAll(f));
        OpenHandle handle = await Open(f);
        await Ok(Volume.SetAttributes(f, new AttributeChange { SizeBytes = 200_000 }, handle, User));
        byte[] expected = new byte[200_000];
        content.AsSpan(0, 100_001).CopyTo(expected);
        Assert.Equal(expected, await Read(handle, 0, 300_000));
        await Close(handle);
        Assert.Equal(expected, await ReadAll(f));
        await Fails(
            VolumeError.IsADirectory, Volume.SetAttributes(Root, new AttributeChange { SizeBytes = 0 }, null, User));
        await Fails(
            VolumeError.InvalidArgument, Volume.SetAttributes(f, new AttributeChange { SizeBytes = -1 }, null, User));
    }

    [Fact]
    public async Task Open_WithTruncate_StartsEmpty()
    {
        InodeNumber f = await MakeFile("f", [1, 2, 3]);
        OpenedFile opened = await Ok(Volume.Open(f, OpenIntent.Write | OpenIntent.Truncate, User));
        Assert.Equal(0, opened.Attributes.SizeBytes);
        await WriteAll(opened.Handle, 0, [5]);
        await Close(opened.Handle);
        Assert.Equal([5], await ReadAll(f));
        OpenHandle again = await Open(f, OpenIntent.Write | OpenIntent.Truncate);
        await Close(again);
        Assert.Empty(await ReadAll(f));
    }

    [Fact]
    public async Task Append_AlwaysWritesAtTheEnd()
    {
        InodeNumber f = await MakeFile("f", [1]);
        OpenHandle appender = await Open(f, OpenIntent.Write | OpenIntent.Append);
        OpenHandle other = await Open(f);
        await WriteAll(appender, 0, [2]);
        await WriteAll(other, 2, [3]);
        await WriteAll(appender, 0, [4]);
        await Close(appender);
        await Close(other);
        Assert.Equal([1, 2, 3, 4], await ReadAll(f));
    }

    [Fact]
    public async Task Appends_AtTheSameTime_AllStay()
    {
        const int writers = 8;
        const int appends = 50;
        InodeNumber f = await MakeFile("f", []);
        OpenHandle[] handles = new OpenHandle[writers];
        for (int i = 0; i < writers; i++)
        {
            handles[i] = await Open(f, OpenIntent.Write | OpenIntent.Append);
        }

        await Task.WhenAll(handles.Select((handle, writer) => Task.Run(async () =>
        {
            for (int i = 0; i < appends; i++)
            {
                await WriteAll(handle, 0, [(byte)writer, (byte)i]);
            }
        })));
        foreach (OpenHandle handle in handles)
        {
            await Close(handle);
        }

        byte[] all = await ReadAll(f);
        Assert.Equal(writers * appends, all.Chunk(2).Select(pair => (pair[0], pair[1])).Distinct().Count());
        Assert.Equal(2 * writers * appends, all.Length);
    }

    [Fact]
    public async Task Handles_AreRefusedForWhatTheyAreNotOpenFor()
    {
        InodeNumber f = await MakeFile("f", [1]);
        OpenHandle reader = await Open(f, OpenIntent.Read);
        await Fails(VolumeError.BadHandle, Volume.Write(reader, 0, new byte[1]));
        await Close(reader);
        await Fails(VolumeError.BadHandle, Volume.Read(reader, 0, new byte[1]));
        await Fails(VolumeError.BadHandle, Volume.Release(reader));
        await Fails(VolumeError.IsADirectory, Volume.Open(Root, OpenIntent.Read, User));
        await Fails(VolumeError.NotFound, Volume.Open(new InodeNumber(0x4444), OpenIntent.Read, User));
    }

    [Fact]
    public async Task Unlinked_FilesLiveWhileTheyAreOpen()
    {
        InodeNumber f = await MakeFile("f", [1, 2]);
        OpenHandle handle = await Open(f);
        await Ok(Volume.Unlink(Root, Name("f"), User));
        await Fails(VolumeError.NotFound, Volume.Lookup(Root, Name("f")));
        await WriteAll(handle, 2, [3]);
        Assert.Equal([1, 2, 3], await Read(handle, 0, 10));
        ObjectAttributes attributes = await Ok(Volume.GetAttributes(f));
        Assert.Equal((0U, 3L), (attributes.LinkCount, attributes.SizeBytes));
        await Ok(Volume.Sync(handle, dataOnly: true));
        await Close(handle);
        await Fails(VolumeError.NotFound, Volume.GetAttributes(f));
    }

    [Fact]
    public async Task Replaced_FilesLiveWhileTheyAreOpen()
    {
        InodeNumber old = await MakeFile("f", [1]);
        OpenHandle handle = await Open(old, OpenIntent.Read);
        await MakeFile("new", [2]);
        await Ok(Volume.Rename(Root, Name("new"), Root, Name("f"), RenameMode.Replace, User));
        Assert.Equal([1], await Read(handle, 0, 10));
        Assert.Equal([2], await ReadAll(await Find("f")));
        await Close(handle);
    }

    [Fact]
    public async Task Allocate_ExtendsPunchesAndZeroes()
    {
        byte[] content = Pattern(4 << 20, seed: 3);
        OpenedFile file = await CreateFile("f");
        await WriteAll(file.Handle, 0, content);
        await Ok(Volume.Allocate(file.Handle, 1 << 20, 2 << 20, AllocateMode.PunchHole));
        content.AsSpan(1 << 20, 2 << 20).Clear();
        Assert.Equal(content, await Read(file.Handle, 0, 5 << 20));
        await Ok(Volume.Allocate(file.Handle, 100, 1000, AllocateMode.ZeroRange));
        content.AsSpan(100, 1000).Clear();
        await Ok(Volume.Allocate(file.Handle, 5 << 20, 10, AllocateMode.KeepSize));
        Assert.Equal(content, await Read(file.Handle, 0, 5 << 20));
        await Ok(Volume.Allocate(file.Handle, 4 << 20, 10, AllocateMode.Extend));
        Array.Resize(ref content, (4 << 20) + 10);
        Assert.Equal(content, await Read(file.Handle, 0, 5 << 20));
        await Close(file.Handle);
        Assert.Equal(content, await ReadAll(file.Attributes.Inode));
        ObjectAttributes attributes = await Ok(Volume.GetAttributes(file.Attributes.Inode));
        Assert.InRange(attributes.DataBytes, 1 << 20, 3 << 20);
    }

    [Fact]
    public async Task Seek_FindsDataAndHoles()
    {
        OpenedFile file = await CreateFile("f");
        await WriteAll(file.Handle, 0, Pattern(1 << 20, seed: 1));
        await WriteAll(file.Handle, 8 << 20, Pattern(1 << 20, seed: 2));
        Assert.Equal(0, await Ok(Volume.Seek(file.Handle, 0, SeekTarget.Data)));
        Assert.Equal(1 << 20, await Ok(Volume.Seek(file.Handle, 5, SeekTarget.Hole)));
        Assert.Equal(8 << 20, await Ok(Volume.Seek(file.Handle, 2 << 20, SeekTarget.Data)));
        Assert.Equal(9 << 20, await Ok(Volume.Seek(file.Handle, 8 << 20, SeekTarget.Hole)));
        await Fails(VolumeError.NoData, Volume.Seek(file.Handle, 9 << 20, SeekTarget.Data));
        await Fails(VolumeError.NoData, Volume.Seek(file.Handle, 9 << 20, SeekTarget.Hole));
        await Close(file.Handle);
    }

    [Fact]
    public async Task CopyRange_CopiesWithinAndBetweenFiles()
    {
        byte[] content = Pattern(2_500_000, seed: 5);
        InodeNumber a = await MakeFile("a", content);
        OpenHandle source = await Open(a);
        OpenedFile target = await CreateFile("b");
        Assert.Equal(2_000_000, await Ok(Volume.CopyRange(source, 300_000, target.Handle, 50_000, 2_000_000)));
        byte[] expected = new byte[2_050_000];
        content.AsSpan(300_000, 2_000_000).CopyTo(expected.AsSpan(50_000));
        Assert.Equal(expected, await Read(target.Handle, 0, 3_000_000));
        Assert.Equal(0, await Ok(Volume.CopyRange(source, 2_500_000, target.Handle, 0, 10)));
        Assert.Equal(100, await Ok(Volume.CopyRange(source, 2_499_900, target.Handle, 0, 1000)));
        content.AsSpan(2_499_900).CopyTo(expected);
        Assert.Equal(1000, await Ok(Volume.CopyRange(source, 0, source, 5000, 1000)));
        content.AsSpan(0, 1000).CopyTo(content.AsSpan(5000));
        await Close(source);
        await Close(target.Handle);
        Assert.Equal(content, await ReadAll(a));
        Assert.Equal(expected, await ReadAll(target.Attributes.Inode));
    }

    [Fact]
    public async Task FarOffsets_AreRefusedTyped()
    {
        OpenedFile file = await CreateFile("f");
        await Fails(VolumeError.FileTooLarge, Volume.Write(file.Handle, long.MaxValue - 1, new byte[10]));
        await Fails(VolumeError.InvalidArgument, Volume.Write(file.Handle, -1, new byte[10]));
        await Fails(VolumeError.InvalidArgument, Volume.Read(file.Handle, -1, new byte[10]));
        await Fails(VolumeError.InvalidArgument, Volume.Allocate(file.Handle, 0, 0, AllocateMode.Extend));
        await Close(file.Handle);
        Assert.Empty(await ReadAll(file.Attributes.Inode));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task RandomWritesCutsAndHoles_MatchAnArray(int seed)
    {
        var random = new Prng((ulong)seed);
        InodeNumber f = await MakeFile("f", []);
        byte[] model = [];
        OpenHandle handle = await Open(f);
        for (int step = 0; step < 300; step++)
        {
            int offset = random.Next(600_000);
            int length = 1 + random.Next(random.Chance(3) ? 200_000 : 5_000);
            model = await RandomStep(random, f, handle, model, offset, length);
            Assert.Equal(model.Length, (await Ok(Volume.GetAttributes(f))).SizeBytes);
            byte[] expected = model[Math.Min(offset, model.Length)..Math.Min(offset + length, model.Length)];
            Assert.Equal(expected, await Read(handle, offset, length));
            if (random.Chance(25))
            {
                await Close(handle);
                Assert.Equal(model, await ReadAll(f));
                handle = await Open(f);
            }
        }

        await Close(handle);
        Assert.Equal(model, await ReadAll(f));
    }

    private async Task<byte[]> RandomStep(
        Prng random, InodeNumber inode, OpenHandle handle, byte[] model, int offset, int length)
    {
        switch (random.Next(6))
        {
            case 0:
                await Ok(Volume.SetAttributes(inode, new AttributeChange { SizeBytes = offset }, handle, User));
                Array.Resize(ref model, offset);
                break;
            case 1:
                await Ok(Volume.Allocate(handle, offset, length, AllocateMode.PunchHole));
                model.AsSpan(Math.Min(offset, model.Length)..Math.Min(offset + length, model.Length)).Clear();
                break;
            case 2:
                await Ok(Volume.Sync(handle, dataOnly: random.Chance(2)));
                break;
            default:
                byte[] data = new byte[length];
                random.Fill(data);
                await WriteAll(handle, offset, data);
                Array.Resize(ref model, Math.Max(model.Length, offset + length));
                data.CopyTo(model, offset);
                break;
        }

        return model;
    }
}
