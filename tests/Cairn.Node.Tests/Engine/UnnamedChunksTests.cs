using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Engine.Walks;
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
    [InlineData(false)]
    [InlineData(true)]
    public void DyingWhileAFileIsPublished_ThatIsAnotherAfterwards_LeavesNoChunkBehind(bool isRemoved)
    {
        bool died = true;
        for (long at = 1; died; at++)
        {
            died = DieAt(at, isRemoved);
        }
    }

    private static bool DieAt(long at, bool isRemoved)
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
        Assert.True(node.TryOpen(process, process.Time).IsOk, $"at {at}");

        // Before the draft that comes back is published again.
        if (isRemoved)
        {
            _ = Wait(scheduler, node.Engine.Unlink(InodeNumber.Root, Name, User));
        }
        else
        {
            Write(scheduler, node, seed: 2);
        }

        scheduler.RunFor(TimeSpan.FromSeconds(10));
        while (scheduler.Complete(node.Engine.Garbage.Round(CancellationToken.None), TimeSpan.FromMinutes(1)))
        {
        }

        VolumeChunks named = Wait(scheduler, node.Engine.ChunksBelow(string.Empty, CancellationToken.None)).Value;
        long bytes = named.Chunks.Sum(chunk => (long)node.Store.Length(RecordKey.Copy(chunk.Address)));
        StoreSpace space = node.Store.Space;
        Assert.InRange(space.Staged + space.Replicated + space.Cached - bytes, 0, 5_000);
        Assert.Equal(isRemoved ? 0 : Size, named.Chunks.Sum(static chunk => (long)chunk.PlainLength));
        return died;
    }

    private static ReadOnlyMemory<byte> Name => Encoding.UTF8.GetBytes("f");

    /// <summary>Writes the whole file, with a size that is one chunk, as far as the disk lets it.</summary>
    private static void Write(SimulatedScheduler scheduler, EngineNode node, ulong seed)
    {
        byte[] content = new byte[Size];
        new Prng(seed).Fill(content);
        Result<ObjectAttributes, VolumeError> found = Wait(scheduler, node.Engine.Lookup(InodeNumber.Root, Name));
        const OpenIntent intent = OpenIntent.Read | OpenIntent.Write;
        Result<OpenedFile, VolumeError> opened = Wait(scheduler, found.IsOk
            ? node.Engine.Open(found.Value.Inode, intent, User)
            : node.Engine.Create(InodeNumber.Root, Name, 0x1A4, intent, User));
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
}
