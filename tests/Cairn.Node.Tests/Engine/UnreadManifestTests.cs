using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Engine;

/// <summary>
/// A write to a file whose manifest no node that is here holds cannot be published now: it waits, and holds nobody up.
/// </summary>
public sealed class UnreadManifestTests
{
    private static readonly Caller User = new(1, 2, 3);

    private readonly SimulatedScheduler _scheduler = new();
    private readonly EngineNode _node = new(new SimulatedDisk())
    {
        IsAlone = false,
        Publishing = new PublishOptions { ManifestInlineBytesMax = 16 },
    };

    private SimulatedProcess _process = null!;

    [Fact]
    public void What_waits_holds_up_neither_others_nor_the_end()
    {
        Start();
        Save("large", new byte[2000]);
        _scheduler.RunFor(TimeSpan.FromSeconds(5));
        Close();
        Start();
        foreach (StoredRecord record in _node.Store.Enumerate(ChunkUse.Staged))
        {
            _node.Store.Quarantine(record.Key, new StoreError(StoreErrorKind.Corrupt, "a pack", "lost"));
        }

        Save("large", [1, 2, 3]);
        _scheduler.RunFor(TimeSpan.FromSeconds(5));
        Assert.True(_node.Engine.HasUnpublishedWrites);
        Save("small", [4]);
        _scheduler.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, Find("small").DataBytes);
        Close();
        Assert.Empty(_scheduler.Failures);
    }

    private void Start()
    {
        _process = _scheduler.CreateProcess("node");
        Assert.True(_node.TryOpen(_process, _process.Time).IsOk);
    }

    private void Close()
    {
        bool isClosed = false;
        _process.Start("closing", async () =>
        {
            await _node.Close();
            isClosed = true;
        });
        _scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.True(isClosed);
    }

    private ObjectAttributes Find(string name) =>
        Wait(_node.Engine.Lookup(InodeNumber.Root, Encoding.UTF8.GetBytes(name))).Value;

    private void Save(string name, byte[] content)
    {
        OpenedFile open = Wait(_node.Engine.Create(
            InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenIntent.Read | OpenIntent.Write, User)).Value;
        Assert.True(Wait(_node.Engine.Write(open.Handle, 0, content)).IsOk);
        Assert.True(Wait(_node.Engine.Release(open.Handle)).IsOk);
    }

    private Result<T, VolumeError> Wait<T>(ValueTask<Result<T, VolumeError>> call)
    {
        Task<Result<T, VolumeError>> task = call.AsTask();
        return task.IsCompleted ? task.Result : _scheduler.Complete(task, TimeSpan.FromMinutes(1));
    }
}
