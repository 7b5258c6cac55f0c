using System.Runtime.CompilerServices;

namespace Cairn.Io.Transport;

/// <summary>Awaited before work that would hold up the engine's loop: what follows runs on the thread pool.</summary>
internal readonly struct ThreadPoolHop : ICriticalNotifyCompletion
{
    /// <summary>Without a context the caller is no loop and may go on.</summary>
    public bool IsCompleted => SynchronizationContext.Current is null;

    public ThreadPoolHop GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
}
