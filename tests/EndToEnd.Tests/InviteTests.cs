using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>Codes that do not let anybody in, and leave both sides as they were.</summary>
public sealed class InviteTests : IAsyncLifetime
{
    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 3, keep: false);

    private DemoNode Founder => _pool.Nodes[0];

    private DemoNode Guest => _pool.Nodes[1];

    public async ValueTask InitializeAsync()
    {
        await Founder.Must("init", "--space", "256MiB", "--name", "node1", "--listen", "0.0.0.0:0", "--kit", Kit);
        await Founder.Start(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private string Kit => Path.Combine(_pool.Root, "kit");

    [Fact]
    public async Task A_code_that_was_mistyped_cut_or_made_up_lets_nobody_in()
    {
        string code = await Invite();
        await Refused(Guest, code[..^4]);
        await Refused(Guest, code[..5] + (code[5] == 'a' ? 'b' : 'a') + code[6..]);
        await Refused(Guest, "hello");
        await Refused(Guest, code + code);

        // The right one still works, with the same home; and it named an address that means something to others.
        await Join(Guest, code);
        Assert.DoesNotContain("0.0.0.0", await Founder.Must("nodes"), StringComparison.Ordinal);
    }

    /// <summary>What stands in a command can be read by everybody on the machine.</summary>
    [Fact]
    public async Task A_code_comes_in_through_a_pipe_too()
    {
        string program = string.Join(' ', CairnProcess.StartInfo(Guest.Home, []).ArgumentList);
        string join = $"CAIRN_HOME='{Guest.Home}' dotnet {program} join - --space 256MiB --listen 127.0.0.1:0";
        string refused = await Shell.Run($"{join} </dev/null 2>&1 || true", _pool.Root);
        Assert.Contains("nothing was given", refused, StringComparison.Ordinal);
        string joined = await Shell.Run($"echo '{await Invite()}' | {join}", _pool.Root);
        Assert.Contains("it now has 2 members", joined, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_used_code_does_not_let_a_second_machine_in()
    {
        string code = await Invite();
        await Join(Guest, code);
        await Refused(_pool.Nodes[2], code);
    }

    [Fact]
    public async Task A_code_whose_daemon_does_not_run_is_an_error_and_another_code_works()
    {
        string code = await Invite();
        await Founder.Stop();
        await Refused(Guest, code);
        await Founder.Start(TestContext.Current.CancellationToken);
        await Join(Guest, await Invite());
    }

    [Fact]
    public async Task A_recovery_kit_that_is_garbled_is_refused()
    {
        string kit = await File.ReadAllTextAsync(Kit, TestContext.Current.CancellationToken);
        string cut = kit.Trim()[..^6];
        await Guest.MustRefuse(ExitCode.Failed, "recovery kit", "recover", cut, "--listen", "127.0.0.1:0");
        Assert.False(File.Exists(Path.Combine(Guest.Home, "config.json")));
    }

    /// <summary>It may be another pool's, which nobody could print again.</summary>
    [Fact]
    public async Task A_recovery_kit_that_is_there_is_not_replaced()
    {
        string kit = await File.ReadAllTextAsync(Kit, TestContext.Current.CancellationToken);
        await Guest.MustRefuse(ExitCode.Failed, "exists", "init", "--kit", Kit, "--listen", "127.0.0.1:0");
        Assert.Equal(kit, await File.ReadAllTextAsync(Kit, TestContext.Current.CancellationToken));
        Assert.False(File.Exists(Path.Combine(Guest.Home, "config.json")));
    }

    private static Task<string> Join(DemoNode node, string code) =>
        node.Must("join", code, "--space", "256MiB", "--name", node.Name, "--listen", "127.0.0.1:0");

    private async Task<string> Invite() => (await Founder.Must("invite", "--quiet")).Trim();

    /// <summary>A sentence and an exit code; the guest's home is no node, and the pool has no new member.</summary>
    private async Task Refused(DemoNode node, string code)
    {
        CairnProcess.Outcome outcome = await node.Try("join", code, "--space", "256MiB", "--listen", "127.0.0.1:0");
        Assert.True(outcome.ExitCode == ExitCode.Failed, outcome.ToString());
        Assert.StartsWith("cairn: ", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(node.Home, "config.json")));
        if (Founder.IsRunning)
        {
            int members = (await Founder.Must("nodes")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length - 1;
            Assert.Equal(File.Exists(Path.Combine(Guest.Home, "config.json")) ? 2 : 1, members);
        }
    }
}
