using System.Globalization;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>Snapshots and going back, through the command line and real drives, on nodes that did not write.</summary>
[Collection("pool")]
public sealed class SnapshotTests(PoolFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Drive(int node, params string[] path) => Path.Combine([fixture.Node(node).Mount, .. path]);

    private Task<string> Cairn(int node, params string[] arguments) => fixture.Node(node).Run(Cancellation, arguments);

    /// <summary>Disaster on one node: read from a snapshot on another, undone in one step on a third, and that undone, too.</summary>
    [Fact]
    public async Task A_ruined_folder_is_read_from_a_snapshot_and_brought_back_in_one_step()
    {
        Directory.CreateDirectory(Drive(1, "work", "deep"));
        await File.WriteAllTextAsync(Drive(1, "work", "plan.txt"), "the plan", Cancellation);
        await File.WriteAllTextAsync(Drive(1, "work", "deep", "note.txt"), "a note", Cancellation);
        await Eventually.Holds(
            () => File.ReadAllText(Drive(2, "work", "plan.txt")) == "the plan"
                && File.ReadAllText(Drive(2, "work", "deep", "note.txt")) == "a note",
            "the files arrive");
        Assert.False(Directory.Exists(Drive(3, ".snapshots", "good")));
        await Cairn(2, "snapshot", "create", "shared", "good");
        string moment = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

        await File.WriteAllTextAsync(Drive(1, "work", "plan.txt"), "encrypted!", Cancellation);
        Directory.Delete(Drive(1, "work", "deep"), recursive: true);
        await File.WriteAllTextAsync(Drive(1, "work", "ransom.txt"), "pay", Cancellation);
        await Eventually.Holds(
            () => File.Exists(Drive(3, "work", "ransom.txt")) && !Directory.Exists(Drive(3, "work", "deep"))
                && File.ReadAllText(Drive(3, "work", "plan.txt")) == "encrypted!",
            "the disaster arrives");

        // The snapshot is in every drive, read only, and not listed.
        await Eventually.Holds(() => Directory.Exists(Drive(3, ".snapshots", "good")), "the snapshot arrives");
        string kept = Drive(3, ".snapshots", "good", "work");
        Assert.Equal("the plan", await File.ReadAllTextAsync(Path.Combine(kept, "plan.txt"), Cancellation));
        Assert.Equal(["note.txt"], Directory.GetFiles(Path.Combine(kept, "deep")).Select(Path.GetFileName));
        Assert.DoesNotContain(".snapshots", Directory.GetFileSystemEntries(Drive(3)).Select(Path.GetFileName));
        Exception? refused = await Record.ExceptionAsync(() =>
            File.WriteAllTextAsync(Path.Combine(kept, "plan.txt"), "x", Cancellation));
        Assert.True(refused is IOException or UnauthorizedAccessException, refused?.ToString());
        Assert.Equal("a note", await Cairn(4, "cat", $"shared/.snapshots/@{moment}/work/deep/note.txt"));
        Assert.Equal(
            ["work/deep Removed", "work/deep/note.txt Removed", "work/plan.txt Modified", "work/ransom.txt Added"],
            await Changes("snapshot", "diff", "shared/work", "good", "--json"));

        using JsonDocument done = JsonDocument.Parse(
            await Cairn(4, "rewind", $"shared/work@{moment}", "--by", fixture.Node(1).Name, "--json"));
        Assert.Empty(done.RootElement.GetProperty("lost").EnumerateArray());
        await Eventually.Holds(
            () => File.Exists(Drive(1, "work", "deep", "note.txt")) && !File.Exists(Drive(1, "work", "ransom.txt"))
                && File.ReadAllText(Drive(1, "work", "plan.txt")) == "the plan",
            "the folder is what it was, also where it was ruined");
        Assert.Empty(await Changes("snapshot", "diff", "shared/work", "good", "--json"));

        string undo = done.RootElement.GetProperty("undo").GetString()!;
        await Cairn(4, "rewind", $"shared/work@{undo}");
        await Eventually.Holds(
            () => File.Exists(Drive(2, "work", "ransom.txt")) && !Directory.Exists(Drive(2, "work", "deep")),
            "the rewind is undone");

        await Cairn(1, "snapshot", "schedule", "shared", "hourly", "24,", "monthly", "2");
        await Eventually.Holds(
            () => Cairn(2, "snapshot", "schedule", "shared").GetAwaiter().GetResult() == "hourly 24, monthly 2\n",
            "the schedule is everybody's");
        Assert.NotEqual(0, (await fixture.Node(2).Try("snapshot", "schedule", "shared/work", "off")).ExitCode);
        await Cairn(2, "snapshot", "schedule", "shared", "off");

        using JsonDocument all = JsonDocument.Parse(await Cairn(4, "snapshot", "ls", "shared", "--json"));
        foreach (JsonElement snapshot in all.RootElement.EnumerateArray())
        {
            await Cairn(4, "snapshot", "rm", "shared", snapshot.GetProperty("name").GetString()!);
        }

        await Eventually.Holds(() => !Directory.Exists(Drive(3, ".snapshots", "good")), "it is gone everywhere");
        Directory.Delete(Drive(1, "work"), recursive: true);
    }

    private async Task<string[]> Changes(params string[] arguments)
    {
        using JsonDocument changes = JsonDocument.Parse(await Cairn(4, arguments));
        return [.. changes.RootElement.EnumerateArray().Select(change =>
            $"{change.GetProperty("path").GetString()} {change.GetProperty("change").GetString()}")];
    }
}
