using System.Diagnostics;
using System.Text.Json;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>What scripts and shells rely on: JSON as documented, exit codes, completion, progress only for people.</summary>
[Collection("pool")]
public sealed class CommandTests(PoolFixture fixture)
{
    private DemoNode Node => fixture.Node(1);

    [Theory]
    [InlineData("NodeStatus", "status")]
    [InlineData("array of NodeSummary", "nodes")]
    [InlineData("array of VolumeSummary", "volume ls")]
    [InlineData("array of FolderWriters", "volume writers shared")]
    [InlineData("array of MountSummary", "mounts")]
    [InlineData("array of EntrySummary", "ls shared")]
    [InlineData("EntrySummary", "stat shared")]
    [InlineData("BandwidthLimit", "limit")]
    [InlineData("InviteTicket", "invite")]
    [InlineData("SpaceStatus", "space set 2GiB")]
    [InlineData("SafetyReport", "safe shared")]
    [InlineData("ProgressLine", "wait --safe --timeout 30")]
    [InlineData("LogLine", "logs --lines 3")]
    public async Task Json_is_what_its_document_says(string type, string command)
    {
        CairnProcess.Outcome outcome = await Node.Try([.. command.Split(' '), "--json"]);
        Assert.True(outcome.ExitCode is ExitCode.Ok or ExitCode.NotSafe, outcome.ToString());
        string[] lines = outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        foreach (string line in lines)
        {
            using JsonDocument value = JsonDocument.Parse(line);
            JsonSchema.Check(type, value.RootElement, command);
        }
    }

    [Fact]
    public async Task A_new_volume_is_printed_as_its_document_says()
    {
        using JsonDocument made = JsonDocument.Parse(await Node.Must("volume", "create", "brief", "--json"));
        JsonSchema.Check("VolumeSummary", made.RootElement, "volume create");
        await Node.MustRefuse(ExitCode.Failed, "already", "volume", "create", "brief");
        await Node.MustRefuse(ExitCode.Failed, "--yes", "volume", "rm", "brief");
        await Node.Must("volume", "rm", "brief", "--yes");
    }

    [Theory]
    [InlineData(ExitCode.Usage, "Unrecognized", "frobnicate")]
    [InlineData(ExitCode.Usage, "not a size", "space set many")]
    [InlineData(ExitCode.Usage, "--online", "wait")]
    [InlineData(ExitCode.Usage, "80 MiB", "space set 1MiB")]
    [InlineData(ExitCode.Usage, "'cairn volume ls --help'", "volume ls --jsn")]
    [InlineData(ExitCode.Usage, "names no volume", "ls /shared")]
    [InlineData(ExitCode.Usage, "'cairn volume rm shared'", "rm --recursive shared/")]
    [InlineData(ExitCode.Usage, "nowhere names no file", "rm nowhere")]
    [InlineData(ExitCode.NotFound, "shared/nowhere: no such file", "who shared/nowhere")]
    [InlineData(ExitCode.NotFound, "shared/nowhere: no such file", "trash ls shared/nowhere")]
    [InlineData(ExitCode.Usage, "is for a whole volume: leave out '/a'", "snapshot ls shared/a")]
    [InlineData(ExitCode.Usage, "is for a whole volume: leave out '/a'", "snapshot rm shared/a one")]
    [InlineData(ExitCode.Usage, "not '.' or '..'", "volume create ..")]
    [InlineData(ExitCode.Usage, "does not begin with '-'", "volume create --jsn")]
    [InlineData(ExitCode.NotFound, "no volume", "ls nowhere")]
    [InlineData(ExitCode.NotFound, "shared/nowhere: no such file", "cat shared/nowhere")]
    [InlineData(ExitCode.NotFound, "2026-11-20T10:00", "cat shared/nowhere@yesterday")]
    [InlineData(ExitCode.NotFound, "2026-11-20T10:00", "rewind shared@yesterday")]
    [InlineData(ExitCode.Failed, "shared: is a directory", "cat shared")]
    [InlineData(ExitCode.Usage, "not begin with '-' or '@'", "snapshot create shared @x")]
    [InlineData(ExitCode.NotFound, "Nothing that node2 did in 'shared' is held", "brake undo shared node2")]
    [InlineData(ExitCode.Usage, "is for a whole volume: leave out '/a/b'", "trash empty shared/a/b")]
    [InlineData(ExitCode.Usage, "is for a whole volume: leave out '/a'", "brake undo shared/a node2")]
    [InlineData(ExitCode.Usage, "is for a whole volume: leave out '/a'", "snapshot clone shared/a one another")]
    [InlineData(ExitCode.NotFound, "There is no 'shared/nowhere'", "wait --safe shared/nowhere")]
    [InlineData(ExitCode.Usage, "names no file", "get shared")]
    [InlineData(ExitCode.Failed, "give at most", "space set 1000000TiB")]
    [InlineData(ExitCode.Failed, "is this machine", "node revoke node1")]
    [InlineData(ExitCode.Usage, "is no retention", "rule set shared --keep sometimes")]
    [InlineData(ExitCode.Usage, "is no way to end conflicts", "rule set shared --conflicts somehow")]
    [InlineData(ExitCode.Usage, "is no schedule", "snapshot schedule shared hourly")]
    [InlineData(ExitCode.Usage, "days", "pin shared --recent 9999999")]
    [InlineData(ExitCode.Usage, "not a valid name", "mkdir shared/..")]
    [InlineData(ExitCode.Usage, "names no directory", "mkdir nowhere")]
    [InlineData(ExitCode.Usage, "in the same volume", "mv shared/a other/a")]
    [InlineData(ExitCode.Ok, "", "--version")]
    [InlineData(ExitCode.NotFound, "There is no node", "node forget nobody")]
    [InlineData(ExitCode.NotFound, "mounted", "umount /")]
    [InlineData(ExitCode.NotSafe, "fewer than 9", "wait --online 9 --timeout 0.1")]
    [InlineData(ExitCode.NoDaemon, "no node in", "--home /nowhere status")]
    public async Task A_refusal_has_its_exit_code_and_words(int exit, string words, string command) =>
        await Node.MustRefuse(exit, words, command.Split(' '));

    [Theory]
    [InlineData("prefer-node nobody")]
    [InlineData("prefer-user nobody")]
    public Task A_rule_that_prefers_whom_nobody_knows_is_refused(string way) =>
        Node.MustRefuse(ExitCode.NotFound, "nobody", "rule", "set", "shared", "--conflicts", way);

    [Fact]
    public async Task Interrupted_commands_say_so_by_their_code()
    {
        using Process logs = Process.Start(CairnProcess.StartInfo(Node.Home, ["logs", "--follow"]))!;
        Assert.NotNull(await logs.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        await Shell.Run($"kill -INT {logs.Id}", fixture.Pool.Root);
        await logs.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Interrupted, logs.ExitCode);
    }

    [Fact]
    public async Task Watching_a_place_where_nothing_is_yet_says_so_and_waits()
    {
        using Process watch = Process.Start(CairnProcess.StartInfo(Node.Home, ["watch", "shared/tomorrow"]))!;
        string? said = await watch.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.Contains("shared/tomorrow: no such file", said, StringComparison.Ordinal);
        await Node.Must("mkdir", "shared/tomorrow");
        string? seen = await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.Contains("tomorrow", seen, StringComparison.Ordinal);
        await Shell.Run($"kill -INT {watch.Id}", fixture.Pool.Root);
        await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Limits_are_set_one_by_one_shown_and_lifted()
    {
        async Task Says(string sentence, params string[] limits) =>
            Assert.Equal(sentence + "\n", await Node.Must(["limit", .. limits]));

        await Says("Sending at most 5.00 MiB/s, receiving without limit.", "--send", "5MiB");
        await Says("Sending at most 5.00 MiB/s, receiving at most 20.0 MiB/s.", "--receive", "20MiB");
        await Says("Sending without limit, receiving at most 20.0 MiB/s.", "--send", "0");
        await Says("Sending without limit, receiving without limit.", "--receive", "0");
        await Says("Sending without limit, receiving without limit.");
    }

    [Fact]
    public async Task The_shell_completes_volumes_paths_and_nodes()
    {
        await Node.Must("mkdir", "--parents", "shared/completed/$(touch boom)");
        await Node.Must("mkdir", "shared/completed/second");
        Assert.Contains("shared/", await Suggestions("cairn ls sh"));
        Assert.Contains("shared", await Suggestions("cairn mount s"));
        Assert.Contains("shared/completed/second/", await Suggestions("cairn ls shared/completed/"));
        Assert.Contains("node3", await Suggestions("cairn node forget n"));
        Assert.Contains("--safe", await Suggestions("cairn wait --"));
    }

    [Fact]
    public async Task Bash_completes_names_from_other_machines_without_running_them()
    {
        await Node.Must("mkdir", "--parents", "shared/bash/$(touch boom)");
        string replies = await InBash(
            """
            COMP_LINE='cairn ls shared/bash/'; COMP_POINT=${#COMP_LINE}
            COMP_WORDS=(cairn ls shared/bash/); COMP_CWORD=2
            compopt() { :; }; _cairn; printf '%s\n' "${COMPREPLY[@]}"; test ! -e boom
            """);
        Assert.Equal(@"shared/bash/\$\(touch\ boom\)/", replies);
    }

    /// <summary>
    /// Bash takes ':', '=' and '@' for ends of words, and gives words as they are typed: what it puts in place is shown.
    /// </summary>
    [Fact]
    public async Task Bash_completes_names_with_spaces_and_with_what_it_breaks_words_at()
    {
        await Node.Must("mkdir", "--parents", "shared/words/a b");
        await Node.Must("mkdir", "--parents", "shared/words/x:y=z@w");
        string replies = await InBash(
            """
            COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
            compopt() { :; }
            answer() { COMP_LINE=$1 COMP_POINT=${#1}; _cairn; printf '<%s>' "${COMPREPLY[@]}"; }
            answer 'cairn ls shared/words/a\ '; answer 'cairn ls "shared/words/a '
            answer 'cairn ls shared/words/x:y='; answer 'cairn ls shared/words/x'
            """);
        Assert.Equal(@"<shared/words/a\ b/><shared/words/a b/><z@w/><shared/words/x:y=z@w/>", replies);
    }

    /// <summary>What a script prints behind the one that completes for bash.</summary>
    private async Task<string> InBash(string commands)
    {
        string program = string.Join(' ', CairnProcess.StartInfo(Node.Home, []).ArgumentList);
        string script = await Node.Must("completion", "bash");
        string printed = await Shell.Run(
            $$"""
            export CAIRN_HOME='{{Node.Home}}'; cairn() { dotnet {{program}} "$@"; }
            {{script}}
            {{commands}}
            """,
            fixture.Pool.Root);
        return printed.Trim();
    }

    [Fact]
    public async Task A_bar_is_drawn_on_a_terminal_and_nowhere_else()
    {
        string file = Path.Combine(Node.Mount, "bar.bin");
        await File.WriteAllBytesAsync(file, new byte[3_000_000], TestContext.Current.CancellationToken);
        CairnProcess.Outcome piped = await Node.Try("wait", "--safe", "--timeout", "30");
        Assert.True(piped.ExitCode == ExitCode.Ok && piped.Error.Length == 0, piped.ToString());
        Terminal.Outcome seen = await Terminal.Run(Node.Home, ["wait", "--safe", "--timeout", "30"]);
        Assert.Equal(ExitCode.Ok, seen.ExitCode);
        Assert.Contains('%', seen.Screen);
        Assert.Contains("100%", seen.Screen, StringComparison.Ordinal);
    }

    private async Task<string[]> Suggestions(string line) =>
        (await Node.Must($"[suggest:{line.Length}]", line)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
