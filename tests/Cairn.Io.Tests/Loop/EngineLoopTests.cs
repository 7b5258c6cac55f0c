using System.Collections.Concurrent;
using Cairn.Core.Primitives;
using Cairn.Io.Loop;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Loop;

public sealed class EngineLoopTests : IDisposable
{
    private readonly BlockingCollection<LoopFailure> _failures = [];
    private readonly EngineLoop _loop;

    public EngineLoopTests() => _loop = new EngineLoop(_failures.Add);

    public void Dispose()
    {
        _loop.Dispose();
        _failures.Dispose();
    }

    [Fact]
    public async Task A_plain_await_resumes_on_the_loop()
    {
        bool[] onLoop = await _loop.Call(async () =>
        {
            bool before = _loop.IsOnLoop;
            await Task.Yield();
            bool afterYield = _loop.IsOnLoop;
            int worker = await _loop.Run(WorkPriority.Foreground, () => Environment.CurrentManagedThreadId);
            bool afterWork = _loop.IsOnLoop && worker != Environment.CurrentManagedThreadId;
            await Task.Delay(1).ConfigureAwait(true);
            return new[] { before, afterYield, afterWork, _loop.IsOnLoop };
        });
        Assert.All(onLoop, Assert.True);
        Assert.False(_loop.IsOnLoop);
    }

    [Fact]
    public async Task Posted_callbacks_run_in_order()
    {
        var seen = new List<int>();
        for (int i = 0; i < 1000; i++)
        {
            int number = i;
            _loop.Post(() => seen.Add(number));
        }

        int[] order = await _loop.Call(() => Task.FromResult(seen.ToArray()));
        Assert.Equal(Enumerable.Range(0, 1000), order);
    }

    [Fact]
    public void An_exception_in_a_started_loop_is_reported_with_its_name()
    {
        _loop.Start("repair", async () =>
        {
            await Task.Yield();
            throw new InvalidOperationException("boom");
        });
        Assert.True(_failures.TryTake(out LoopFailure failure, TimeSpan.FromSeconds(30)));
        Assert.Equal("repair", failure.Name);
        Assert.Equal("boom", failure.Exception.Message);
    }

    [Fact]
    public async Task An_exception_thrown_before_the_first_await_is_reported_and_the_loop_lives()
    {
        _loop.Start("now", () => throw new InvalidOperationException("at once"));
        _loop.Post(() => throw new InvalidOperationException("callback"));
        Assert.Equal(7, await _loop.Call(() => Task.FromResult(7)));
        Assert.Equal(["now", "callback"], _failures.Take(2).Select(failure => failure.Name));
    }

    [Fact]
    public async Task Cancellation_ends_a_loop_quietly()
    {
        using var stop = new CancellationTokenSource();
        _loop.Start("quiet", () => Task.Delay(Timeout.Infinite, stop.Token));
        await stop.CancelAsync();
        _loop.Post(() => throw new InvalidOperationException("last"));
        Assert.Equal("last", _failures.Take().Exception.Message);
    }

    [Fact]
    public async Task Work_fails_with_its_own_exception_and_cancelled_work_never_runs()
    {
        await Assert.ThrowsAsync<FormatException>(
            () => _loop.Run<int>(WorkPriority.Background, () => throw new FormatException()));
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        bool ran = false;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _loop.Run(WorkPriority.Background, () => ran = true, stop.Token));
        Assert.False(ran);
        await Assert.ThrowsAsync<FormatException>(() => _loop.Call<int>(() => throw new FormatException()));
    }

    [Fact]
    public async Task Foreground_work_is_not_held_up_by_background_work()
    {
        using var release = new ManualResetEventSlim();
        var background = new List<Task>();
        for (int i = 0; i < 50; i++)
        {
            background.Add(_loop.Run(WorkPriority.Background, () => release.Wait(TimeSpan.FromSeconds(30))));
        }

        Assert.True(await _loop.Run(WorkPriority.Foreground, () => true).WaitAsync(TimeSpan.FromSeconds(30)));
        release.Set();
        await Task.WhenAll(background).WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Background_threads_are_nice()
    {
        string nice = await _loop.Run(WorkPriority.Background, () => File.ReadAllText("/proc/thread-self/stat"));
        Assert.Equal(10, NiceOf(nice));
    }

    [Fact]
    public async Task A_timer_of_the_loops_clock_fires_on_the_loop()
    {
        var fired = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var clock = new LoopTimeProvider(_loop);
        await using ITimer timer = clock.CreateTimer(
            _ => fired.TrySetResult(_loop.IsOnLoop), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        Assert.True(await fired.Task);
    }

    [Fact]
    public void After_disposal_work_is_cancelled_and_posts_are_dropped()
    {
        _loop.Dispose();
        _loop.Post(() => Invariant.Fail("ran after the end"));
        Task<int> late = _loop.Run(WorkPriority.Foreground, () => 1);
        Assert.True(late.IsCanceled);
        Assert.Empty(_failures);
    }

    // Field 19 of stat(5); the second field may hold spaces, so fields are counted from its closing parenthesis.
    private static int NiceOf(string stat) => int.Parse(
        stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], System.Globalization.CultureInfo.InvariantCulture);
}
