using System.Text;
using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>A machine whose clock is years off: time is shown, and decides nothing.</summary>
public sealed class ClockTests : IAsyncLifetime
{
    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 2, keep: false);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Theory]
    [InlineData("+3650d")]
    [InlineData("-3650d")]
    public async Task Ten_years_off_changes_no_order_and_keeps_nobody_out(string offset)
    {
        string? library = Directory.Exists("/usr/lib")
            ? Directory.EnumerateFiles("/usr/lib", "libfaketime.so.1", SearchOption.AllDirectories).FirstOrDefault()
            : null;
        Assert.SkipWhen(library is null, "libfaketime is not installed (package faketime)");
        await _pool.Start("128MiB", TestContext.Current.CancellationToken);
        (DemoNode here, DemoNode off) = (_pool.Nodes[0], _pool.Nodes[1]);
        await here.Must("volume", "create", "v");
        await off.Stop();
        await off.Start(
            TestContext.Current.CancellationToken,
            ("LD_PRELOAD", library!),
            ("FAKETIME", offset),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            // Without this the library takes a wait on the monotonic clock for one that is over: all timers of the daemon spin.
            ("FAKETIME_FORCE_MONOTONIC_FIX", "0"));
        await here.Must("wait", "--online", "2", "--timeout", "60", "--quiet");

        // Each edit follows the other's: the last one counts, whatever the clocks say.
        foreach ((DemoNode writer, DemoNode reader, string text) in new[]
        {
            (here, off, "one"), (off, here, "two"), (here, off, "three"), (off, here, "four"),
        })
        {
            string file = Path.Combine(_pool.Root, text);
            await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
            await writer.Must("put", file, "v/file");
            await Eventually.Holds(
                () => reader.Read("v", "file").AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(text)),
                $"{reader.Name} shows '{text}'",
                seconds: 60);
        }

        Assert.Equal(2, (await here.Must("ls", "v")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await off.Must("wait", "--safe", "--timeout", "60", "--quiet");
    }
}
