using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Past;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Engine;

/// <summary>A volume that keeps nothing loses all its files at once, and somebody decides.</summary>
public sealed class EngineBrakeTests : IAsyncLifetime
{
    private const int Files = 12;
    private const int Bytes = 20_000;
    private static readonly Caller User = new(1, 2, 3);

    private readonly EngineNode _node = new(new SimulatedDisk())
    {
        Brake = new BrakeLimits { ObjectsMin = 5, VolumeObjectsMin = 10, OwnWork = TimeSpan.Zero },
    };

    private IVolumeBrake Brake => _node.Engine.Brake;

    private NodeId Self => _node.Log.OwnLogId.Author;

    public async ValueTask InitializeAsync()
    {
        _node.Open();
        for (int file = 0; file < Files; file++)
        {
            byte[] content = new byte[Bytes];
            new Prng((ulong)file + 1).Fill(content);
            OpenHandle handle =
                (await _node.Engine.Create(InodeNumber.Root, Name(file), 0x1A4, OpenIntent.Write, User)).Value.Handle;
            Assert.True((await _node.Engine.Write(handle, 0, content)).IsOk);
            Assert.True((await _node.Engine.Release(handle)).IsOk);
        }

        Assert.True(await _node.Engine.PublishAll(CancellationToken.None));

        // The moment before the removals is to be another than that of the last write.
        await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        for (int file = 0; file < Files; file++)
        {
            Assert.True((await _node.Engine.Unlink(InodeNumber.Root, Name(file), User)).IsOk);
        }

        await Collect();
    }

    public async ValueTask DisposeAsync() => await _node.Close();

    [Fact]
    public async Task What_is_held_is_listed_and_outlives_a_restart_and_an_emptied_trash()
    {
        BrakedMember held = Assert.Single(Brake.List());
        Assert.Equal((Self, 12L, 12L * Bytes, 12L, 12L * Bytes, 100L), (
            held.Node, held.Objects, held.Bytes, held.ObjectsBefore, held.BytesBefore, held.Percent));
        await _node.Close();
        _node.Open();
        Assert.Equal(held, Assert.Single(Brake.List()));
        Assert.True(_node.Engine.History.EmptyTrash().IsOk);
        await Collect();
        Assert.Equal(Files, _node.Engine.History.Trash().Count);
    }

    [Fact]
    public async Task Released_it_goes_as_any_past()
    {
        Assert.Equal(VolumeError.NotFound, Brake.Release([new NodeId(new byte[NodeId.Size])]).Error);
        Assert.True(Brake.Release([Self]).IsOk);
        Assert.Empty(Brake.List());
        await Collect();
        Assert.Empty(_node.Engine.History.Trash());
        Assert.Equal(0, _node.Store.Space.Staged + _node.Store.Space.Replicated + _node.Store.Space.Cached);
        Assert.Equal(VolumeError.NotFound, Brake.Release([Self]).Error);
    }

    [Fact]
    public async Task Undone_it_is_all_back_and_the_undoing_is_not_braked()
    {
        RestoreOutcome outcome = (await Brake.Undo([Self], CancellationToken.None)).Value;
        Assert.Empty(outcome.Lost);
        await Collect();
        Assert.Empty(Brake.List());
        for (int file = 0; file < Files; file++)
        {
            Assert.Equal(Bytes, (await _node.Engine.Lookup(InodeNumber.Root, Name(file))).Value.SizeBytes);
        }

        Assert.Equal(VolumeError.NotFound, (await Brake.Undo([Self], CancellationToken.None)).Error);
    }

    private static ReadOnlyMemory<byte> Name(int file) => Encoding.UTF8.GetBytes($"f{file}");

    private async Task Collect()
    {
        while (await _node.Engine.Garbage.Round(CancellationToken.None))
        {
        }
    }
}
