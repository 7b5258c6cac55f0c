using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Contracts;

/// <summary>What every volume promises its doors. Derive it once per implementation.</summary>
public abstract class VolumeContract : VolumeContentContract
{
    [Fact]
    public async Task SetAttributes_ChangesOnlyWhatIsAsked()
    {
        InodeNumber f = await MakeFile("f", [1]);
        ObjectAttributes before = await Ok(Volume.GetAttributes(f));
        var time = new WallTime(1_234_567_890_123_456_700);
        await Ok(Volume.SetAttributes(f, new AttributeChange { Mode = 0xE00 | 0x1A4 }, null, User));
        await Ok(Volume.SetAttributes(f, new AttributeChange { UserId = 5 }, null, User));
        await Ok(Volume.SetAttributes(f, new AttributeChange { Modified = time }, null, User));
        ObjectAttributes after = await Ok(Volume.GetAttributes(f));
        Assert.Equal((0xFA4U, 5U, before.GroupId, 1L), (after.Mode, after.UserId, after.GroupId, after.SizeBytes));
        Assert.Equal(time, after.Modified);
        Assert.True(after.Changed >= before.Changed);
        await Fails(
            VolumeError.NotFound,
            Volume.SetAttributes(new InodeNumber(0x5555), new AttributeChange { Mode = 1 }, null, User));
    }

    [Fact]
    public async Task ModificationTime_SetThroughTheOpenFile_SurvivesItsClosing()
    {
        // What cp -a, tar and rsync do: write, set the times, close.
        OpenedFile file = await CreateFile("f");
        await WriteAll(file.Handle, 0, [1, 2, 3]);
        var time = new WallTime(1_000_000_000_000_000_000);
        await Ok(Volume.SetAttributes(
            file.Attributes.Inode, new AttributeChange { Modified = time, Accessed = time }, file.Handle, User));
        await Close(file.Handle);
        Assert.Equal(time, (await Ok(Volume.GetAttributes(file.Attributes.Inode))).Modified);
        Assert.Equal(time, (await Ok(Volume.Lookup(Root, Name("f")))).Modified);
        Assert.Equal([1, 2, 3], await ReadAll(file.Attributes.Inode));
    }

    [Fact]
    public async Task Changes_MoveTheTimes()
    {
        InodeNumber d = await MakeDirectory("d");
        var old = new WallTime(5);
        await Ok(Volume.SetAttributes(d, new AttributeChange { Modified = old }, null, User));
        InodeNumber f = await MakeFile("f", [], d);
        Assert.NotEqual(old, (await Ok(Volume.GetAttributes(d))).Modified);
        await Ok(Volume.SetAttributes(f, new AttributeChange { Modified = old }, null, User));
        OpenHandle handle = await Open(f);
        await WriteAll(handle, 0, [1]);
        Assert.NotEqual(old, (await Ok(Volume.GetAttributes(f))).Modified);
        await Close(handle);
        Assert.NotEqual(old, (await Ok(Volume.GetAttributes(f))).Modified);
    }

    [Fact]
    public async Task ExtendedAttributes_AreKeptByName()
    {
        InodeNumber f = await MakeFile("f", []);
        await Fails(VolumeError.NoAttribute, Volume.GetExtendedAttribute(f, Name("user.a")));
        await Ok(
            Volume.SetExtendedAttribute(f, Name("user.a"), new byte[] { 1, 0, 2 }, AttributeWriteMode.Create, User));
        await Ok(
            Volume.SetExtendedAttribute(f, Name("user.b"), ReadOnlyMemory<byte>.Empty, AttributeWriteMode.Any, User));
        await Fails(
            VolumeError.AlreadyExists,
            Volume.SetExtendedAttribute(f, Name("user.a"), new byte[1], AttributeWriteMode.Create, User));
        await Fails(
            VolumeError.NoAttribute,
            Volume.SetExtendedAttribute(f, Name("user.c"), new byte[1], AttributeWriteMode.Replace, User));
        Assert.Equal([1, 0, 2], (await Ok(Volume.GetExtendedAttribute(f, Name("user.a")))).ToArray());
        Assert.Empty((await Ok(Volume.GetExtendedAttribute(f, Name("user.b")))).ToArray());
        await Ok(Volume.SetExtendedAttribute(f, Name("user.a"), Pattern(60_000, 1), AttributeWriteMode.Replace, User));
        Assert.Equal(Pattern(60_000, 1), (await Ok(Volume.GetExtendedAttribute(f, Name("user.a")))).ToArray());
        IReadOnlyList<ReadOnlyMemory<byte>> names = await Ok(Volume.ListExtendedAttributes(f));
        Assert.Equal(
            ["user.a", "user.b"], names.Select(n => Encoding.UTF8.GetString(n.Span)).Order(StringComparer.Ordinal));
        await Ok(Volume.RemoveExtendedAttribute(f, Name("user.a"), User));
        await Fails(VolumeError.NoAttribute, Volume.RemoveExtendedAttribute(f, Name("user.a"), User));
        Assert.Single(await Ok(Volume.ListExtendedAttributes(f)));
    }

    [Fact]
    public async Task Space_IsPlausible()
    {
        VolumeSpace space = await Ok(Volume.Space());
        Assert.True(space.TotalBytes > 0 && space.FreeBytes > 0 && space.FreeBytes <= space.TotalBytes);
        Assert.True(space.Objects >= 0);
    }

    [Fact]
    public async Task RecordLocks_ExcludeOtherOwners()
    {
        OpenHandle a = (await CreateFile("f")).Handle;
        OpenHandle b = await Open(await Find("f"));
        var whole = new RangeLock(1, 10, 0, long.MaxValue, LockKind.Exclusive);
        await Ok(Volume.SetLock(a, whole with { Start = 10, End = 19 }, false, false, default));
        await Ok(Volume.SetLock(b, whole with { Owner = 2, End = 9 }, false, false, default));
        await Fails(VolumeError.Locked, Volume.SetLock(b, whole with { Owner = 2 }, false, false, default));
        RangeLock held = await Ok(Volume.TestLock(b, whole with { Owner = 2 }));
        Assert.Equal(
            (1UL, 10U, 10L, 19L, LockKind.Exclusive), (held.Owner, held.ProcessId, held.Start, held.End, held.Kind));
        await Ok(Volume.SetLock(a, whole with { Start = 12, End = 13, Kind = LockKind.None }, false, false, default));
        await Ok(Volume.SetLock(b, whole with { Owner = 2, Start = 12, End = 13 }, false, false, default));
        await Fails(VolumeError.Locked, Volume.SetLock(
            b, whole with { Owner = 2, Start = 14, End = 14 }, false, false, default));
        await Ok(Volume.SetLock(a, whole with { Start = 14, End = 19, Kind = LockKind.Shared }, false, false, default));
        await Ok(Volume.SetLock(
            b, whole with { Owner = 2, Start = 14, End = 14, Kind = LockKind.Shared }, false, false, default));
        await Ok(Volume.Flush(a, 1));
        await Ok(Volume.SetLock(b, whole with { Owner = 2 }, false, false, default));
        Assert.Equal(LockKind.None, (await Ok(Volume.TestLock(b, whole with { Owner = 2 }))).Kind);
        await Close(a);
        await Close(b);
    }

    [Fact]
    public async Task Locks_ThatWait_AreGrantedCancelledOrRefusedAsDeadlock()
    {
        OpenHandle file = (await CreateFile("f")).Handle;
        var first = new RangeLock(1, 1, 0, 0, LockKind.Exclusive);
        var second = new RangeLock(2, 2, 1, 1, LockKind.Exclusive);
        await Ok(Volume.SetLock(file, first, false, false, default));
        await Ok(Volume.SetLock(file, second, false, false, default));
        Task<Result<Unit, VolumeError>> waiting =
            Volume.SetLock(file, first with { Owner = 2 }, false, true, default).AsTask();
        Assert.False(waiting.IsCompleted);
        await Fails(VolumeError.Deadlock, Volume.SetLock(file, second with { Owner = 1 }, false, true, default));
        using var cancellation = new CancellationTokenSource();
        Task<Result<Unit, VolumeError>> cancelled =
            Volume.SetLock(file, first with { Owner = 3 }, false, true, cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        Assert.Equal(VolumeError.Interrupted, (await cancelled).Error);
        await Ok(Volume.SetLock(file, first with { Kind = LockKind.None }, false, false, default));
        Assert.True((await waiting).IsOk);
        await Close(file);
    }

    [Fact]
    public async Task WholeFileLocks_DoNotSeeRecordLocks()
    {
        OpenHandle file = (await CreateFile("f")).Handle;
        var whole = new RangeLock(1, 1, 0, long.MaxValue, LockKind.Exclusive);
        await Ok(Volume.SetLock(file, whole, false, false, default));
        await Ok(Volume.SetLock(file, whole with { Owner = 2 }, true, false, default));
        await Fails(VolumeError.Locked, Volume.SetLock(
            file, whole with { Owner = 3, Kind = LockKind.Shared }, true, false, default));
        await Ok(Volume.SetLock(file, whole with { Owner = 2, Kind = LockKind.None }, true, false, default));
        await Ok(Volume.SetLock(file, whole with { Owner = 3, Kind = LockKind.Shared }, true, false, default));
        await Close(file);
    }

    [Fact]
    public async Task ManyThreads_EachSeeTheirOwnWrites()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            InodeNumber directory = await MakeDirectory($"d{worker}");
            for (int i = 0; i < 50; i++)
            {
                byte[] content = Pattern(1 + (i * 997), seed: (worker * 1000) + i);
                InodeNumber inode = await MakeFile($"f{i}", content, directory);
                Assert.Equal(content, await ReadAll(inode));
                await Ok(
                    Volume.Rename(directory, Name($"f{i}"), Root, Name($"w{worker}f{i}"), RenameMode.Replace, User));
            }
        })));
        Assert.Equal(204, (await List(Root)).Length);
    }
}
