using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Packs;
using Cairn.Storage.Scrub;

namespace Cairn.Node.Repair;

/// <summary>Keeps the chunk store in order: finds rot while copies exist, compacts, saves the index.</summary>
/// <remarks>
/// One turn: (1) Read on for a bounded number of bytes; what is not what its address says is out of the store, and repair
/// fetches it from a peer. (2) Compact packs that are mostly dead, but not while much is being removed. (3) Now and then
/// write the index out, so that the next start is quick even after a crash. Rot needs days and a disk must have rest: after a
/// whole pass scrubbing pauses. So it does where the device gives nothing at all: what is on it has not rotted for all that is
/// known.
/// Thread: the engine's loop; the work runs on background workers, one step at a time.
/// </remarks>
internal sealed class StoreUpkeep(
    NodePorts ports, NodeOptions options, ChunkStore store, NodeDiary diary, Action foundBad) : IDisposable
{
    /// <summary>Compaction waits for so many turns without much that was removed, and for at most so many in all.</summary>
    private const int CalmTurns = 3;
    private const int HeldTurnsMax = 30;

    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RestWhenRefused = TimeSpan.FromMinutes(1);

    private readonly Scrubber _scrubber = new(store);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isStarted;
    private TimeSpan _rest;
    private StoreError? _refused;
    private TimeSpan _untilSave = SaveEvery;
    private long _dead = store.Space.Dead;
    private int _calmIn;
    private int _held;

    /// <summary>What the owner is told of a disk that gives nothing; null while it does.</summary>
    public NodeProblem? Problem => _refused is { } refused
        ? new NodeProblem(
            "disk-failing",
            $"The disk that this node's home is on cannot be read: {refused.Where} ({refused.Detail}).",
            "Check this machine's disk and its cable (`dmesg`, `smartctl -a`). It is tried again every minute. If the "
            + "disk is lost, join with a new home on another, and `cairn node forget` this one.")
        : null;

    /// <summary>Begins.</summary>
    public void Start()
    {
        _isStarted = true;
        ports.Workers.Start("store upkeep", Loop);
    }

    /// <summary>Ends after the step under way, if any: the store may be closed then.</summary>
    public Task Stop()
    {
        _stop.Cancel();
        return _isStarted ? _ended.Task : Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private async Task Loop()
    {
        try
        {
            while (true)
            {
                await Task.Delay(Turn, ports.Time, _stop.Token);
                await Scrub();
                await Compact();
                await Save();
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    /// <summary>(2)</summary>
    private async Task Compact()
    {
        if (IsMuchGoing())
        {
            return;
        }

        int freed = await ports.Workers.Run(WorkPriority.Background, store.Maintain, _stop.Token);
        if (freed > 0)
        {
            diary.Add(LogLevel.Info, "chunk store", $"{freed} packs were compacted and freed");
        }
    }

    /// <summary>
    /// Whether much is being removed just now. What goes lies scattered over all packs, so they are half dead at about the same
    /// time: to compact them then would be to move what goes next, and the disk would have that to do besides.
    /// </summary>
    private bool IsMuchGoing()
    {
        StoreSpace space = store.Space;
        bool isGrowing = space.Dead - _dead >= space.Allocated / 64;
        _dead = space.Dead;
        _calmIn = isGrowing ? CalmTurns : Math.Max(0, _calmIn - 1);
        _held = _calmIn > 0 && space.Free > 0 && _held < HeldTurnsMax ? _held + 1 : 0;
        return _held > 0;
    }

    /// <summary>(1)</summary>
    private async Task Scrub()
    {
        _rest -= Turn;
        if (_rest > TimeSpan.Zero)
        {
            return;
        }

        long bytes = (long)(options.ScrubBytesPerSecond * Turn.TotalSeconds);
        ScrubStep step = await ports.Workers.Run(WorkPriority.Background, () => _scrubber.Step(bytes), _stop.Token);
        NoteDevice();
        _rest = step.CompletedPass ? options.ScrubRest : _refused is not null ? RestWhenRefused : TimeSpan.Zero;
        foreach (BadRecord bad in step.Bad)
        {
            string fate = bad.Record.Use == ChunkUse.Staged
                ? "it was not yet confirmed on enough nodes; it is fetched from one that has it, if there is any"
                : "it is fetched anew from another node";
            diary.Add(LogLevel.Error, "scrub", $"{bad.Record.Key.Address.Short} has rotted here: {fate} ({bad.Error})");
        }

        if (step.Bad.Count > 0)
        {
            foundBad();
        }
    }

    private void NoteDevice()
    {
        if (_scrubber.Refused is { } refused && _refused is null)
        {
            diary.Add(LogLevel.Error, "scrub", $"the disk cannot be read, and is tried again: {refused}");
        }
        else if (_scrubber.Refused is null && _refused is not null)
        {
            diary.Add(LogLevel.Info, "scrub", "the disk can be read again");
        }

        _refused = _scrubber.Refused;
    }

    /// <summary>(3)</summary>
    private async Task Save()
    {
        _untilSave -= Turn;
        if (_untilSave > TimeSpan.Zero)
        {
            return;
        }

        _untilSave = SaveEvery;
        Result<Unit, StoreError> saved =
            await ports.Workers.Run(WorkPriority.Background, store.SaveIndex, _stop.Token);
        if (!saved.TryGet(out _, out StoreError error))
        {
            diary.Add(LogLevel.Warning, "chunk store", $"its index was not saved: {error}");
        }
    }
}
