using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Node.Snapshots;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Engine;

/// <summary>The volume of a member that only reads: everything is there, and nothing is taken that no node would obey.</summary>
public sealed class EngineRightsTests : IAsyncLifetime
{
    private static readonly byte[] Name = Encoding.UTF8.GetBytes("f");
    private static readonly byte[] Other = Encoding.UTF8.GetBytes("other");

    private readonly EngineNode _node = new(new SimulatedDisk()) { IsAlone = false, Keep = Retention.Forever };

    private Cairn.Node.Engine.VolumeEngine Volume => _node.Engine;

    private NodeId Self => _node.Log.OwnLogId.Author;

    public ValueTask InitializeAsync()
    {
        _node.Open();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await _node.Close();

    [Fact]
    public async Task Every_change_is_refused_before_anything_is_written_and_reading_goes_on()
    {
        OpenedFile open = await Write("before");
        await Volume.PublishAll(default);
        Limit(mayWrite: false, _node.Log.Word);
        InodeNumber file = open.Attributes.Inode;
        ulong before = _node.Log.Word[_node.Log.OwnLogId].TransactionSeq;
        VolumeError[] errors =
        [
            (await Volume.Write(open.Handle, 0, Name)).Error,
            (await Volume.Allocate(open.Handle, 0, 100, AllocateMode.Extend)).Error,
            (await Volume.Open(file, OpenIntent.Read | OpenIntent.Write, Caller.Daemon)).Error,
            (await Volume.Create(InodeNumber.Root, Other, 0x1A4, OpenIntent.Write, Caller.Daemon)).Error,
            (await Volume.Create(InodeNumber.Root, Name, 0x1A4, OpenIntent.Write, Caller.Daemon)).Error,
            (await Volume.SetAttributes(file, new AttributeChange { SizeBytes = 1 }, null, Caller.Daemon)).Error,
            (await Volume.SetAttributes(file, new AttributeChange { Mode = 0x1FF }, null, Caller.Daemon)).Error,
            (await Volume.MakeDirectory(InodeNumber.Root, Other, 0x1ED, Caller.Daemon)).Error,
            (await Volume.MakeSymbolicLink(InodeNumber.Root, Other, Name, Caller.Daemon)).Error,
            (await Volume.Link(file, InodeNumber.Root, Other, Caller.Daemon)).Error,
            (await Volume.Rename(
                InodeNumber.Root, Name, InodeNumber.Root, Other, RenameMode.Replace, Caller.Daemon)).Error,
            (await Volume.SetExtendedAttribute(file, Other, Name, AttributeWriteMode.Any, Caller.Daemon)).Error,
            (await Volume.Unlink(InodeNumber.Root, Name, Caller.Daemon)).Error,
            Volume.Rules.Set(file, Rule.Default).Error,
        ];
        Assert.All(errors, error => Assert.Equal(VolumeError.ReadOnly, error));
        Assert.Equal(before, _node.Log.Word[_node.Log.OwnLogId].TransactionSeq);
        Assert.False(Volume.HasUnpublishedWrites);
        Assert.Equal("before", await Read());
        Assert.True((await Volume.Release(open.Handle)).IsOk);
    }

    [Fact]
    public async Task What_was_written_before_the_limit_was_known_is_in_versions_and_comes_back_when_an_admin_says_so()
    {
        OpenedFile open = await Write("unpublished");
        Limit(mayWrite: false, LogPositions.Empty);
        Assert.Equal(VolumeError.NotFound, (await Volume.Lookup(InodeNumber.Root, Name)).Error);
        Assert.True((await Volume.Release(open.Handle)).IsOk);
        Assert.True(await Volume.PublishAll(default));
        Assert.False(Volume.HasUnpublishedWrites);
        Limit(mayWrite: true, LogPositions.Empty);
        Assert.Equal("unpublished", await Read());
    }

    [Fact]
    public async Task What_was_refused_can_be_looked_at_and_copied_out()
    {
        SnapshotsVolume drive = new(Volume, Volume);
        string content = new('x', 5_000);
        Assert.True((await Volume.Release((await Write("before")).Handle)).IsOk);
        Assert.True(await Volume.PublishAll(default));
        Assert.Equal(VolumeError.NotFound, (await drive.Resolve(".snapshots/@refused")).Error);
        LogPositions seen = _node.Log.Word;
        Assert.True((await Volume.Release((await Write(content)).Handle)).IsOk);
        Assert.True(await Volume.PublishAll(default));
        Limit(mayWrite: false, seen);
        Assert.Equal("before", (await Read())[..6]);

        ObjectAttributes found = (await drive.Resolve(".snapshots/@refused/f")).Value;
        Assert.Equal(content.Length, found.SizeBytes);
        OpenedFile opened = (await drive.Open(found.Inode, OpenIntent.Read, Caller.Daemon)).Value;
        byte[] read = new byte[content.Length];
        Assert.Equal(read.Length, (await drive.Read(opened.Handle, 0, read)).Value);
        Assert.Equal(content, Encoding.UTF8.GetString(read));
        Assert.True((await drive.Release(opened.Handle)).IsOk);

        PastState refused = new(PastState.Refused);
        Assert.Equal("f", Assert.Single((await Volume.Snapshots.Compare(refused, string.Empty, default)).Value).Path);
        Assert.Equal(
            VolumeError.NotSupported, (await Volume.Snapshots.Restore(refused, string.Empty, default)).Error);

        Limit(mayWrite: true, LogPositions.Empty);
        Assert.Equal(VolumeError.NotFound, (await drive.Resolve(".snapshots/@refused")).Error);
    }

    [Fact]
    public async Task Below_a_folder_of_others_every_change_is_denied_and_beside_it_none()
    {
        InodeNumber folder = (await Volume.MakeDirectory(InodeNumber.Root, Other, 0x1ED, Caller.Daemon)).Value.Inode;
        OpenedFile below = (await Volume.Create(folder, Name, 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        Assert.True((await Volume.Write(below.Handle, 0, Name)).IsOk);
        Limit("other");
        InodeNumber file = below.Attributes.Inode;
        VolumeError[] errors =
        [
            (await Volume.Write(below.Handle, 0, Other)).Error,
            (await Volume.Open(file, OpenIntent.Write, Caller.Daemon)).Error,
            (await Volume.Create(folder, Other, 0x1A4, OpenIntent.Write, Caller.Daemon)).Error,
            (await Volume.SetAttributes(file, new AttributeChange { Mode = 0x1FF }, null, Caller.Daemon)).Error,
            (await Volume.SetAttributes(folder, new AttributeChange { Mode = 0x1FF }, null, Caller.Daemon)).Error,
            (await Volume.Link(file, InodeNumber.Root, Name, Caller.Daemon)).Error,
            (await Volume.Rename(
                InodeNumber.Root, Other, InodeNumber.Root, Name, RenameMode.Replace, Caller.Daemon)).Error,
            (await Volume.Unlink(folder, Name, Caller.Daemon)).Error,
            Volume.Rules.Set(folder, Rule.Default).Error,
        ];
        Assert.All(errors, error => Assert.Equal(VolumeError.AccessDenied, error));

        // What was acknowledged before is in a version, as of any member that may not write any more.
        Assert.True((await Volume.Release(below.Handle)).IsOk);
        Assert.True(await Volume.PublishAll(default));
        OpenedFile beside = await Write("beside");
        Assert.True((await Volume.Release(beside.Handle)).IsOk);
        Assert.Equal("beside", await Read());
    }

    /// <summary>Nobody may edit below a folder, from what is here now on.</summary>
    private void Limit(string folder)
    {
        TransactionId mark;
        ObjectId id;
        lock (_node.Log.Gate)
        {
            id = new TreeQueries(_node.Log.Fold.Table).Lookup(default, Encoding.UTF8.GetBytes(folder))!.Value.Object;
            mark = _node.Log.Append([new Rescue([])], default).Value;
        }

        _node.Members.Rights = WriteRights.None.With(FolderRights.Of([
            new LimitFolder(_node.Log.Volume, id, FolderAccess.Only, [], _node.Log.Seen, mark)]));
        _node.Log.Reconsider();
    }

    private void Limit(bool mayWrite, LogPositions seen)
    {
        _node.Members.Rights = new WriteRights([new(Self, [new MemberLimit(mayWrite, seen)])]);
        _node.Log.Reconsider();
    }

    private async Task<OpenedFile> Write(string text)
    {
        OpenedFile opened = (await Volume.Create(
            InodeNumber.Root, Name, 0x1A4, OpenIntent.Read | OpenIntent.Write, Caller.Daemon)).Value;
        Assert.True((await Volume.Write(opened.Handle, 0, Encoding.UTF8.GetBytes(text))).IsOk);
        return opened;
    }

    private async Task<string> Read()
    {
        InodeNumber inode = (await Volume.Lookup(InodeNumber.Root, Name)).Value.Inode;
        OpenedFile opened = (await Volume.Open(inode, OpenIntent.Read, Caller.Daemon)).Value;
        byte[] buffer = new byte[100];
        int length = (await Volume.Read(opened.Handle, 0, buffer)).Value;
        Assert.True((await Volume.Release(opened.Handle)).IsOk);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
