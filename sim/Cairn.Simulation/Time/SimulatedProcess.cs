using Cairn.Node.Ports;

namespace Cairn.Simulation.Time;

/// <summary>One simulated process: its context, its clock and its workers. Killed, nothing of it ever runs again.</summary>
public sealed class SimulatedProcess : SynchronizationContext, IWorkers
{
    private readonly SimulatedScheduler _scheduler;

    internal SimulatedProcess(SimulatedScheduler scheduler, string name, int number)
    {
        _scheduler = scheduler;
        Name = name;
        Number = number;
        Time = new ProcessTime(this);
    }

    /// <summary>For reports.</summary>
    public string Name { get; }

    /// <summary>Which process of the run, from 1: no two are alike.</summary>
    internal int Number { get; }

    /// <summary>Virtual time; the wall clock of it can be made to jump.</summary>
    public TimeProvider Time { get; }

    /// <summary>How wrong this process's wall clock is; monotonic time never is.</summary>
    public TimeSpan ClockError { get; set; }

    /// <summary>False after <see cref="Kill"/>.</summary>
    public bool IsAlive { get; private set; } = true;

    /// <summary>As SIGKILL: no callback, continuation or timer of this process runs after this.</summary>
    public void Kill()
    {
        IsAlive = false;
        _scheduler.Compact();
    }

    /// <summary>Runs an action on this process's context when its turn comes.</summary>
    public void Run(Action action) => _scheduler.Post(this, static state => ((Action)state!)(), action);

    /// <summary>Starts async work on this process's context.</summary>
    /// <remarks>If the process is killed meanwhile, the task never ends.</remarks>
    public Task<T> Run<T>(Func<Task<T>> work)
    {
        TaskCompletionSource<T> done = new();
        Run(() => _ = Forward(work, done));
        return done.Task;
    }

    /// <inheritdoc/>
    public Task<T> Run<T>(WorkPriority priority, Func<T> work, CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        return Task.FromResult(work());
    }

    /// <inheritdoc/>
    public void Start(string name, Func<Task> loop) => Run(() => _ = Watch(name, loop));

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state) => _scheduler.Post(this, d, state);

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("a simulated process has one thread: Send would wait for itself");

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;

    private async Task Watch(string name, Func<Task> loop)
    {
        try
        {
            await loop();
        }
        catch (Exception exception) when (exception is not InvalidProgramException)
        {
            _scheduler.Report(this, name, exception);
        }
    }

    private static async Task Forward<T>(Func<Task<T>> work, TaskCompletionSource<T> done)
    {
        try
        {
            done.SetResult(await work());
        }
        catch (Exception exception) when (exception is not InvalidProgramException)
        {
            done.SetException(exception);
        }
    }

    private sealed class ProcessTime(SimulatedProcess process) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => process._scheduler.Now.Ticks;

        public override DateTimeOffset GetUtcNow() =>
            process._scheduler.WallStart + process._scheduler.Now + process.ClockError;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            SimulatedTimer timer = new(process._scheduler, process, callback, state);
            timer.Change(dueTime, period);
            return timer;
        }
    }
}
