using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Io.Tests.Peers;

/// <summary>A machine that joins a pool whose volume has a long history, over real TLS and real indexes.</summary>
public sealed class NewcomerTests
{
    private const int Files = 60;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_newcomer_begins_with_the_checkpoint_and_then_has_the_history_too()
    {
        await using LiveNode old = new("desk", tableFrom: Files);
        await using LiveNode newcomer = new("laptop", tableFrom: Files);
        await old.Found();
        Assert.True((await old.Loop.Call(() => old.Node.CreateVolume("docs", default).AsTask())).IsOk);
        await Write(await Volume(old), "by the old", Files);
        await Until(() => Task.FromResult(!old.Node.State.Checkpoints.IsEmpty));
        await newcomer.Join(old);
        await newcomer.Run();
        IVolume volume = await Volume(newcomer);
        Assert.Contains(
            newcomer.Node.Diary.After(0, 100),
            line => line.Text.Contains("the checkpoint of", StringComparison.Ordinal));
        Assert.Equal(Files, (await Names(volume)).Length);
        await Write(volume, "by the newcomer", 1);
        await Until(async () => (await Names(await Volume(old))).Length == Files + 1);
        Assert.Empty(newcomer.Failures);
        Assert.Empty(old.Failures);
    }

    private static async Task<IVolume> Volume(LiveNode node)
    {
        IVolume? volume = null;
        await Until(async () =>
        {
            Result<IVolume, ControlError> found =
                await node.Loop.Call(() => node.Node.Volume("docs", default).AsTask());
            return found.TryGet(out volume, out _);
        });
        return volume!;
    }

    private static async Task Write(IVolume volume, string name, int count)
    {
        for (int i = 0; i < count; i++)
        {
            OpenedFile file = (await volume.Create(
                InodeNumber.Root, Encoding.UTF8.GetBytes($"{name} {i}"), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
            Assert.True((await volume.Write(file.Handle, 0, new byte[100])).IsOk);
            Assert.True((await volume.Release(file.Handle)).IsOk);
        }
    }

    private static async Task<string[]> Names(IVolume volume) =>
        [.. (await volume.ReadDirectory(InodeNumber.Root, 0, 1000)).Value
            .Select(entry => Encoding.UTF8.GetString(entry.Name.Span))
            .Where(name => name.StartsWith("by", StringComparison.Ordinal))];

    private static async Task Until(Func<Task<bool>> isSo)
    {
        using CancellationTokenSource limit = new(Patience);
        while (!await isSo())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
