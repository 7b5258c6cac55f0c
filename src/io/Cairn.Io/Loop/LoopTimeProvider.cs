namespace Cairn.Io.Loop;

/// <summary>The system's clock, with timer callbacks that run on the engine's loop instead of the thread pool.</summary>
public sealed class LoopTimeProvider(EngineLoop loop) : TimeProvider
{
    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(_ => loop.Post(() => callback(state)), null, dueTime, period);
}
