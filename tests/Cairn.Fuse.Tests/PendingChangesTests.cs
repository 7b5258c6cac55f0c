using System.Buffers.Binary;
using Cairn.Fuse.Session;
using Cairn.Node.Volumes;
using Cairn.Simulation.Time;
using Cairn.Simulation.Volumes;
using static Cairn.Fuse.Tests.FakeChannel;
using static Cairn.Fuse.Tests.Opcodes;

namespace Cairn.Fuse.Tests;

/// <summary>What the kernel is told of a file that others change while a request of this mount changes it too.</summary>
public sealed class PendingChangesTests : IAsyncDisposable
{
    private const uint Mode = 1;
    private const uint Size = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly MemoryVolume _volume = new("memory", seed: 3, TimeProvider.System);
    private readonly SimulatedScheduler _scheduler = new();
    private readonly FakeChannel _kernel = new();
    private readonly LateVolume _late;
    private readonly FuseSession _session;

    public PendingChangesTests()
    {
        _late = new LateVolume(_volume);
        _session = new FuseSession(_late, FuseOptions.Default, _scheduler.CreateProcess("mount").Time, _ => { });
        _session.Attach(_kernel);
    }

    public async ValueTask DisposeAsync() => await _session.Detach();

    [Fact]
    public async Task ChangesOfAttributesHere_DoNotHideNewContentFromElsewhere()
    {
        OpenedFile file = await Make();
        TaskCompletionSource answers = Hold();
        FakeExchange changed = Set(file, Mode);
        await _volume.Write(file.Handle, 0, new byte[100]);
        Assert.Equal([true], Told());
        answers.SetResult();
        await changed.Ended.WaitAsync(Patience);
        Assert.Equal(0, changed.Error);

        // The answer may have the length of before: it is asked for again.
        Assert.Equal([true, false], Told());
    }

    [Fact]
    public async Task ACutHere_HasThePagesDroppedWhenItIsDone()
    {
        OpenedFile file = await Make();
        TaskCompletionSource answers = Hold();
        FakeExchange cut = Set(file, Size);
        await _volume.Write(file.Handle, 0, new byte[100]);
        Assert.Empty(Told());
        answers.SetResult();
        await cut.Ended.WaitAsync(Patience);
        Assert.Equal(0, cut.Error);
        Assert.Equal([true], Told());
    }

    /// <summary>It is open here and shows what is written here: its pages are those.</summary>
    [Fact]
    public async Task AWriteHere_KeepsItsPages()
    {
        OpenedFile file = await Make();
        TaskCompletionSource answers = Hold();
        FakeExchange written = Ask(
            WriteOp, file, U64(file.Handle.Value, 10), U32(3, 0), new byte[16], [1, 2, 3]);
        FakeExchange changed = Set(file, Mode);
        await _volume.Write(file.Handle, 0, new byte[100]);
        Assert.Empty(Told());
        answers.SetResult();
        await Task.WhenAll(written.Ended, changed.Ended).WaitAsync(Patience);
        Assert.Equal((0, 0), (written.Error, changed.Error));
        Assert.Equal([false], Told());
    }

    /// <summary>What is told twice is not told once only because of what happens here at that moment.</summary>
    [Fact]
    public async Task AChangeHere_OnlyPutsOffWhatIsToldAgain()
    {
        OpenedFile file = await Make();
        await _volume.Write(file.Handle, 0, new byte[100]);
        Assert.Equal([true], Told());
        TaskCompletionSource answers = Hold();
        FakeExchange changed = Set(file, Mode);
        _scheduler.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal([true], Told());
        answers.SetResult();
        await changed.Ended.WaitAsync(Patience);
        int told = Told().Count;
        _scheduler.RunFor(TimeSpan.FromSeconds(10));
        Assert.Contains(true, Told().Skip(told));
        told = Told().Count;
        _scheduler.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal(told, Told().Count);
    }

    private TaskCompletionSource Hold()
    {
        TaskCompletionSource answers = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _late.Until = answers.Task;
        return answers;
    }

    /// <summary>Of each notice so far whether it drops pages; the others are of attributes.</summary>
    private List<bool> Told() =>
        [.. _kernel.Notifications.Select(notice => BinaryPrimitives.ReadInt64LittleEndian(notice.AsSpan(24)) == 0)];

    private async Task<OpenedFile> Make()
    {
        OpenedFile file = (await _volume.Create(
            InodeNumber.Root, "f"u8.ToArray(), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        await _volume.Write(file.Handle, 0, new byte[50]);
        _scheduler.RunFor(TimeSpan.FromSeconds(10));
        _kernel.Notifications.Clear();
        return file;
    }

    private FakeExchange Set(OpenedFile file, uint valid) =>
        Ask(SetAttr, file, U32(valid, 0), U64(0, 7, 0, 0, 0, 0), U32(0, 0, 0, 0x180, 0, 0, 0, 0));

    private FakeExchange Ask(int opcode, OpenedFile file, params byte[][] body)
    {
        FakeExchange asked = _kernel.Request(opcode, file.Attributes.Inode.Value, body);
        _session.Handle(asked);
        return asked;
    }
}
