using System.Text.Json;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>Homes that a daemon must not run on, and pools of one node.</summary>
public sealed class HomeTests : IAsyncLifetime
{
    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 1, keep: false);

    private DemoNode Node => _pool.Nodes[0];

    public async ValueTask InitializeAsync() => await _pool.Start("256MiB", TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Fact]
    public async Task A_second_daemon_is_refused_and_the_first_goes_on()
    {
        await Node.MustRefuse(ExitCode.Failed, "runs on", "up", "--no-announce");
        await Node.MustRefuse(ExitCode.Failed, "runs on", "up", "--detach", "--no-announce");
        await Node.MustRefuse(ExitCode.Failed, "belongs to a pool already", "init");
        Assert.Contains("Node    node1", await Node.Must("status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_home_of_a_newer_format_is_refused_and_not_touched()
    {
        await Node.Must("down");
        string version = Path.Combine(Node.Home, "store/version");
        await File.WriteAllTextAsync(version, "cairn home 1000\n", TestContext.Current.CancellationToken);
        (string Path, long Length, DateTime Written)[] before = Files();
        await Node.MustRefuse(ExitCode.Failed, "Upgrade Cairn", "up", "--no-announce");
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task Settings_that_make_no_sense_are_refused_by_name_and_place()
    {
        await Node.Must("down");
        string config = Path.Combine(Node.Home, "config.json");
        string good = await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(config, good.Replace("\"listen\"", "\"liisten\"", StringComparison.Ordinal));
        await Node.MustRefuse(ExitCode.Failed, "liisten", "up", "--no-announce");
        await File.WriteAllTextAsync(config, good.Replace("127.0.0.1", "127.0.0.one", StringComparison.Ordinal));
        await Node.MustRefuse(ExitCode.Failed, "not an address", "up", "--no-announce");
        await File.WriteAllTextAsync(
            config, good.Replace("\"peers\": []", "\"peers\": [\"desk\"]", StringComparison.Ordinal));
        await Node.MustRefuse(ExitCode.Failed, "'desk'", "up", "--no-announce");
    }

    [Fact]
    public async Task The_space_given_is_what_the_settings_say()
    {
        await Node.Must("space", "set", "512MiB");
        await Node.Must("down");
        string config = Path.Combine(Node.Home, "config.json");
        string kept = await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken);
        string edited = kept.Replace($"{512L << 20}", $"{384L << 20}", StringComparison.Ordinal);
        Assert.NotEqual(kept, edited);
        await File.WriteAllTextAsync(config, edited, TestContext.Current.CancellationToken);
        await Node.Start(TestContext.Current.CancellationToken);
        using JsonDocument status = JsonDocument.Parse(await Node.Must("status", "--json"));
        Assert.Equal(384L << 20, status.RootElement.GetProperty("space").GetProperty("allocatedBytes").GetInt64());
    }

    [Fact]
    public async Task A_pool_of_one_node_keeps_files_and_says_what_it_lacks()
    {
        string file = Path.Combine(_pool.Root, "file");
        await File.WriteAllBytesAsync(file, new byte[2_000_000], TestContext.Current.CancellationToken);
        await Node.Must("volume", "create", "alone");
        await Node.Must("put", file, "alone/file");
        await Node.Must("wait", "--safe", "--timeout", "30", "--quiet");
        string status = await Node.Must("status");
        Assert.Contains("1 of 1 copies, the rule wants 4. Add 3 nodes.", status, StringComparison.Ordinal);
        string safe = await Node.Must("safe", "alone/file");
        Assert.Contains("1 of 1", safe, StringComparison.Ordinal);
        Assert.Contains("alone/file: 1 file, ", safe, StringComparison.Ordinal);
        await Node.Kill(TestContext.Current.CancellationToken);
        await Node.Start(TestContext.Current.CancellationToken);
        string back = Path.Combine(_pool.Root, "back");
        await Node.Must("get", "alone/file", back);
        Assert.Equal(2_000_000, new FileInfo(back).Length);
    }

    private (string Path, long Length, DateTime Written)[] Files() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Node.Home, "store"), "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .Select(path => new FileInfo(path))
            .Select(file => (file.FullName, file.Length, file.LastWriteTimeUtc)),
    ];
}
