namespace Cairn.Io.Loop;

/// <summary>Brings continuations of the engine back to its loop.</summary>
internal sealed class LoopContext(EngineLoop loop) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state) => loop.Post(new EngineLoop.Posted(d, state));

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (loop.IsOnLoop)
        {
            d(state);
            return;
        }

        loop.Call(() =>
        {
            d(state);
            return Task.FromResult(true);
        }).GetAwaiter().GetResult();
    }

    public override SynchronizationContext CreateCopy() => this;
}
