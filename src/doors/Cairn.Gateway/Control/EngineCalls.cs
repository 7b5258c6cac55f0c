using Cairn.Node.Ports;

namespace Cairn.Gateway.Control;

/// <summary>Carries a request from a web server's thread to the engine's loop and its answer back.</summary>
public sealed class EngineCalls(IWorkers workers)
{
    /// <summary>Runs a call on the engine's context.</summary>
    public Task<T> Call<T>(Func<ValueTask<T>> call)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        workers.Start("control request", async () =>
        {
            try
            {
                answer.SetResult(await call());
            }
            catch (OperationCanceledException error)
            {
                answer.SetCanceled(error.CancellationToken);
            }
            catch (Exception error)
            {
                answer.SetException(error);
                throw;
            }
        });
        return answer.Task;
    }

    /// <summary>Enumerates on the engine's context, handing each item over as it comes.</summary>
    public IAsyncEnumerable<T> Stream<T>(Func<IAsyncEnumerable<T>> source, CancellationToken cancellation)
    {
        System.Threading.Channels.Channel<T> items = System.Threading.Channels.Channel.CreateUnbounded<T>();
        workers.Start("control stream", async () =>
        {
            try
            {
                await foreach (T item in source().WithCancellation(cancellation))
                {
                    items.Writer.TryWrite(item);
                }

                items.Writer.Complete();
            }
            catch (OperationCanceledException)
            {
                items.Writer.Complete();
            }
            catch (Exception error)
            {
                items.Writer.Complete(error);
                throw;
            }
        });
        return items.Reader.ReadAllAsync(cancellation);
    }
}
