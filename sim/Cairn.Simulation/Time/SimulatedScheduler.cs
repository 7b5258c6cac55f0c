using Cairn.Core.Primitives;

namespace Cairn.Simulation.Time;

/// <summary>One thread, virtual time: every callback and timer of every simulated process, in an order a seed decides.</summary>
/// <remarks>
/// Invariants: time never goes back; nothing runs outside <see cref="Step"/>; with the same seed and the same program the
/// same callbacks run in the same order. Work that became ready at one moment runs in the order it became ready.
/// Thread: the one that calls <see cref="Step"/>.
/// </remarks>
public sealed class SimulatedScheduler
{
    private const int CompactFrom = 4096;

    private readonly Queue<(SimulatedProcess? Process, SendOrPostCallback Callback, object? State)> _ready = new();
    private readonly PriorityQueue<SimulatedTimer, (long DueTicks, long Order)> _timers = new();
    private readonly List<SimulatedFailure> _failures = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private int _processes;
    private volatile string? _trespass;
    private long _order;
    private int _compactAt = CompactFrom;

    /// <summary>Starts at time zero.</summary>
    /// <param name="wallStart">What the processes' clocks show at time zero.</param>
    public SimulatedScheduler(DateTimeOffset? wallStart = null)
    {
        WallStart = wallStart ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    }

    /// <summary>What an undisturbed clock showed at time zero.</summary>
    public DateTimeOffset WallStart { get; }

    /// <summary>Virtual time since the start.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>How many callbacks ran.</summary>
    public long Steps { get; private set; }

    /// <summary>Which callbacks ran, in which order and when: two runs with the same hash were the same.</summary>
    public TraceHash Trace { get; } = new();

    /// <summary>Exceptions that escaped a callback or a loop: each is a bug.</summary>
    public IReadOnlyList<SimulatedFailure> Failures => _failures;

    /// <summary>A process: its own context, clock and workers, that can be killed as a whole.</summary>
    public SimulatedProcess CreateProcess(string name) => new(this, name, ++_processes);

    /// <summary>Calls back after a delay, outside any process (the network, the fault plan).</summary>
    public SimulatedTimer After(TimeSpan delay, Action callback) => Schedule(null, delay, _ => callback(), null);

    /// <summary>Runs one callback; if none is ready, lets time pass to the next timer.</summary>
    /// <returns>False when there is nothing left to do.</returns>
    public bool Step()
    {
        Invariant.That(
            _trespass is null,
            $"something left the simulation's thread (Task.Run, CancelAsync, WhenAny?):\n{_trespass}");
        if (_ready.TryDequeue(out (SimulatedProcess? Process, SendOrPostCallback Callback, object? State) next))
        {
            Invoke(next.Process, next.Callback, next.State);
            return true;
        }

        while (_timers.TryDequeue(out SimulatedTimer? timer, out (long DueTicks, long Order) due))
        {
            if (!timer.IsDue(due.Order))
            {
                continue;
            }

            Now = TimeSpan.FromTicks(Math.Max(Now.Ticks, due.DueTicks));
            timer.Fire(due.DueTicks);
            return true;
        }

        return false;
    }

    /// <summary>Steps until a condition holds.</summary>
    /// <returns>False when the time passed, or nothing was left to do, before it held.</returns>
    public bool RunUntil(Func<bool> condition, TimeSpan within)
    {
        TimeSpan deadline = Now + within;
        while (!condition())
        {
            if (NextDue() > deadline || !Step())
            {
                return condition();
            }
        }

        return true;
    }

    /// <summary>Lets time pass.</summary>
    public void RunFor(TimeSpan duration)
    {
        TimeSpan deadline = Now + duration;
        while (NextDue() <= deadline && Step())
        {
        }

        Now = Now < deadline ? deadline : Now;
    }

    /// <summary>Steps until a task ends, and returns its result.</summary>
    /// <exception cref="TimeoutException">It did not end within so much virtual time.</exception>
    public T Complete<T>(Task<T> task, TimeSpan within)
    {
        bool done = RunUntil(() => task.IsCompleted, within);
        return done ? task.GetAwaiter().GetResult() : throw new TimeoutException($"not within {within} of virtual time");
    }

    internal void Post(SimulatedProcess? process, SendOrPostCallback callback, object? state)
    {
        // What a killed process left may still post, even from a finalizer (PeriodicTimer does): nobody hears it.
        if (process is not { IsAlive: false } && IsOwnThread())
        {
            _ready.Enqueue((process, callback, state));
        }
    }

    internal SimulatedTimer Schedule(SimulatedProcess? process, TimeSpan delay, TimerCallback callback, object? state)
    {
        SimulatedTimer timer = new(this, process, callback, state);
        timer.Change(delay, Timeout.InfiniteTimeSpan);
        return timer;
    }

    internal long Enqueue(SimulatedTimer timer, TimeSpan delay)
    {
        if (!IsOwnThread())
        {
            return 0;
        }

        if (_timers.Count >= _compactAt)
        {
            Compact();
        }

        long order = ++_order;
        _timers.Enqueue(timer, (Now.Ticks + Math.Max(0, delay.Ticks), order));
        return order;
    }

    internal void Report(SimulatedProcess? process, string where, Exception exception) =>
        _failures.Add(new SimulatedFailure(Now, process?.Name ?? "-", where, exception));

    internal void Invoke(SimulatedProcess? process, SendOrPostCallback callback, object? state)
    {
        if (process is { IsAlive: false })
        {
            return;
        }

        Steps++;
        Trace.Add((ulong)Now.Ticks, (ulong)(process?.Number ?? 0));
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(process);
        try
        {
            callback(state);
        }
        catch (Exception exception) when (exception is not InvalidProgramException)
        {
            Report(process, "callback", exception);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>Forgets timers that were stopped, or whose processes are dead.</summary>
    /// <remarks>What they would have called stays in memory with them: all of a node, until a timer of hours or days is due.</remarks>
    internal void Compact()
    {
        (SimulatedTimer Timer, (long DueTicks, long Order) Due)[] live =
            [.. _timers.UnorderedItems.Where(static timer => timer.Element.IsDue(timer.Priority.Order))];
        _timers.Clear();
        _timers.EnqueueRange(live);
        _compactAt = Math.Max(CompactFrom, live.Length * 2);
    }

    /// <summary>What leaves the thread comes back at a random moment: such a run could not be repeated.</summary>
    /// <remarks>Thrown by the next <see cref="Step"/>: here it would end the program, on a pool's thread.</remarks>
    private bool IsOwnThread()
    {
        bool isOwn = Environment.CurrentManagedThreadId == _thread;
        if (!isOwn)
        {
            _trespass ??= Environment.StackTrace;
        }

        return isOwn;
    }

    private TimeSpan NextDue()
    {
        if (_ready.Count > 0)
        {
            return Now;
        }

        while (_timers.TryPeek(out SimulatedTimer? timer, out (long DueTicks, long Order) due))
        {
            if (timer.IsDue(due.Order))
            {
                return TimeSpan.FromTicks(due.DueTicks);
            }

            _timers.Dequeue();
        }

        return TimeSpan.MaxValue;
    }
}

/// <summary>An exception nobody caught.</summary>
/// <param name="At">Virtual time.</param>
/// <param name="Process">Whose.</param>
/// <param name="Where">Which loop.</param>
/// <param name="Exception">What.</param>
public sealed record SimulatedFailure(TimeSpan At, string Process, string Where, Exception Exception);
