using Cairn.Node.Ports;

namespace Cairn.Node.Tests;

/// <summary>A node's loops are counted, so that its stores are closed behind the last of them.</summary>
public sealed class NodeWorkTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Without_loops_nothing_is_waited_for()
    {
        NodeWork work = new(new InlineWorkers());
        Assert.True(await work.Drain(Patience, TimeProvider.System));
    }

    [Fact]
    public async Task What_is_under_way_is_waited_for_and_what_that_begins()
    {
        NodeWork work = new(new InlineWorkers());
        TaskCompletionSource first = new(), second = new();
        work.Start("receive", async () =>
        {
            await first.Task;
            work.Start("confirm", () => second.Task);
        });
        work.Start("receive", () => first.Task);
        Task<bool> drained = work.Drain(Patience, TimeProvider.System);
        Assert.Equal(["receive"], work.UnderWay);
        first.SetResult();
        Assert.False(drained.IsCompleted);
        Assert.Contains("confirm", work.UnderWay);
        second.SetResult();
        Assert.True(await drained);
    }

    [Fact]
    public async Task A_loop_that_fails_has_ended_and_is_reported()
    {
        InlineWorkers reported = new();
        NodeWork work = new(reported);
        work.Start("scrub", () => Task.FromException(new InvalidOperationException("no")));
        Assert.True(await work.Drain(Patience, TimeProvider.System));
        Assert.IsType<InvalidOperationException>(reported.Escaped);
    }

    [Fact]
    public async Task A_loop_that_hangs_is_named()
    {
        NodeWork work = new(new InlineWorkers());
        work.Start("fetch", () => new TaskCompletionSource().Task);
        Assert.False(await work.Drain(TimeSpan.Zero, TimeProvider.System));
        Assert.Equal(["fetch"], work.UnderWay);
    }

    private sealed class InlineWorkers : IWorkers
    {
        public Exception? Escaped { get; private set; }

        public Task<T> Run<T>(WorkPriority priority, Func<T> work, CancellationToken cancellation = default) =>
            Task.FromResult(work());

        public void Start(string name, Func<Task> loop) => _ = Watch(loop());

        private async Task Watch(Task loop)
        {
            try
            {
                await loop;
            }
            catch (InvalidOperationException escaped)
            {
                Escaped = escaped;
            }
        }
    }
}
