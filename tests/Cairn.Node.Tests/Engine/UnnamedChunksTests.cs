using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Engine.Walks;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Engine;

/// <summary>A chunk that was stored, and that no version names because the daemon died in between, does not stay for ever.</summary>
public sealed class UnnamedChunksTests
{
    private const int Size = 300_000;
    private static readonly Caller User = new(1, 2, 3);

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void DyingWhileAFileIsPublished_ThatIsAnotherAfterwards_LeavesNoChunkBehind(bool isRemoved, bool isBusy)
    {
        bool died = true;
        for (long at = 1; died; at++)
        {
            died = DieAt(at, isRemoved, isBusy);
        }
    }

    /// <param name="at">At which change of the disk.</param>
    /// <param name="isRemoved">Whether the file is removed then.</param>
    /// <param name="isBusy">Whether another file is closed while each round of publishing is under way: one always waits.</param>
    private static bool DieAt(long at, bool isRemoved, bool isBusy)
    {
        var scheduler = new SimulatedScheduler();
        var disk = new SimulatedDisk();
        var node = new EngineNode(disk);
        SimulatedProcess process = scheduler.CreateProcess("node");
        disk.Faults.DieAtChange = at;
        if (node.TryOpen(process, process.Time).IsOk)
        {
            Write(scheduler, node, seed: 1);
            scheduler.RunFor(TimeSpan.FromSeconds(5));
        }

        bool died = disk.Faults.IsDead;
        process.Kill();
        disk.Crash(CrashKind.ProcessKilled, (ulong)at);
        process = scheduler.CreateProcess("node");
        ulong saves = 0;
        BusyWorkers workers = new(process);
        Assert.True(node.TryOpen(workers, process.Time).IsOk, $"at {at}");
        workers.Publishing = () =>
        {
            if (isBusy)
            {
                Write(scheduler, node, seed: ++saves, Other, size: 10);
            }
        };

        // Before the draft that comes back is published again.
        if (isRemoved)
        {
            _ = Wait(scheduler, node.Engine.Unlink(InodeNumber.Root, Name, User));
        }
        else
        {
            Write(scheduler, node, seed: 2);
        }

        scheduler.RunFor(isBusy ? TimeSpan.FromMilliseconds(300) : TimeSpan.FromSeconds(10));
        while (scheduler.Complete(node.Engine.Garbage.Round(CancellationToken.None), TimeSpan.FromMinutes(1)))
        {
        }

        VolumeChunks named = Wait(scheduler, node.Engine.ChunksBelow(string.Empty, CancellationToken.None)).Value;
        long bytes = named.Chunks.Sum(chunk => (long)node.Store.Length(RecordKey.Copy(chunk.Address)));
        StoreSpace space = node.Store.Space;
        Assert.InRange(space.Staged + space.Replicated + space.Cached - bytes, 0, 5_000);
        Assert.Equal(isRemoved ? 0 : Size, named.Chunks.Sum(static chunk => (long)chunk.PlainLength));
        Assert.Equal(isBusy, saves > 2);
        return died;
    }

    private static ReadOnlyMemory<byte> Name => Encoding.UTF8.GetBytes("f");

    private static ReadOnlyMemory<byte> Other => Encoding.UTF8.GetBytes("other");

    /// <summary>Writes the whole file, with a size that is one chunk, as far as the disk lets it.</summary>
    private static void Write(SimulatedScheduler scheduler, EngineNode node, ulong seed) =>
        Write(scheduler, node, seed, Name, Size);

    private static void Write(
        SimulatedScheduler scheduler, EngineNode node, ulong seed, ReadOnlyMemory<byte> name, int size)
    {
        byte[] content = new byte[size];
        new Prng(seed).Fill(content);
        Result<ObjectAttributes, VolumeError> found = Wait(scheduler, node.Engine.Lookup(InodeNumber.Root, name));
        const OpenIntent intent = OpenIntent.Read | OpenIntent.Write;
        Result<OpenedFile, VolumeError> opened = Wait(scheduler, found.IsOk
            ? node.Engine.Open(found.Value.Inode, intent, User)
            : node.Engine.Create(InodeNumber.Root, name, 0x1A4, intent, User));
        if (opened.IsOk)
        {
            _ = Wait(scheduler, node.Engine.Write(opened.Value.Handle, 0, content));
            _ = Wait(scheduler, node.Engine.Release(opened.Value.Handle));
        }
    }

    private static Result<T, VolumeError> Wait<T>(SimulatedScheduler scheduler, ValueTask<Result<T, VolumeError>> call)
    {
        Task<Result<T, VolumeError>> task = call.AsTask();
        return task.IsCompleted ? task.Result : scheduler.Complete(task, TimeSpan.FromMinutes(2));
    }

    /// <summary>Does something else before each round of publishing stores its chunks.</summary>
    private sealed class BusyWorkers(IWorkers workers) : IWorkers
    {
        public Action Publishing { get; set; } = static () => { };

        public Task<T> Run<T>(WorkPriority priority, Func<T> work, CancellationToken cancellation)
        {
            if (priority == WorkPriority.Background)
            {
                Publishing();
            }

            return workers.Run(priority, work, cancellation);
        }

        public void Start(string name, Func<Task> loop) => workers.Start(name, loop);
    }
}
