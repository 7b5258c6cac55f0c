using System.Text;
using System.Text.Json;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>A laptop's day, through the command line: before it leaves, and when it has met the others again.</summary>
[Collection("pool")]
public sealed class OfflineTests(PoolFixture fixture)
{
    private const string Base = "one\ntwo\nthree\nfour\nfive\n";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private DemoNode Laptop => fixture.Node(4);

    private string Drive(int node, string path) => Path.Combine(fixture.Node(node).Mount, path);

    [Fact]
    public async Task What_is_needed_is_pinned_and_what_was_written_is_pushed_out_before_it_leaves()
    {
        await File.WriteAllBytesAsync(Drive(4, "trip.bin"), new byte[2_000_000], Cancellation);
        await Laptop.Must("pin", "shared/trip.bin");
        await Laptop.Must("evacuate", "--timeout", "30");
        using JsonDocument status = JsonDocument.Parse(await Laptop.Must("status", "--json"));
        JsonSchema.Check("NodeStatus", status.RootElement, "status");
        Assert.Equal(0, status.RootElement.GetProperty("onlyHere").GetProperty("chunks").GetInt64());
        string listed = string.Empty;
        for (int looks = 0; looks < 100 && !listed.Contains("Kept", StringComparison.Ordinal); looks++)
        {
            listed = await Laptop.Must("pin", "ls");
        }

        Assert.Contains("shared/trip.bin", listed, StringComparison.Ordinal);
        Assert.Contains("Kept", listed, StringComparison.Ordinal);
        using JsonDocument pins = JsonDocument.Parse(await Laptop.Must("pin", "ls", "--json"));
        JsonSchema.Check("array of PinSummary", pins.RootElement, "pin ls");
        using JsonDocument freed = JsonDocument.Parse(await Laptop.Must("free", "shared/trip.bin", "--json"));
        JsonSchema.Check("FreeReport", freed.RootElement, "free");
        await Laptop.MustRefuse(ExitCode.NotFound, "not pinned", "unpin", "shared/trip.bin");
        await Laptop.MustRefuse(ExitCode.Usage, "--recent", "pin");
    }

    [Fact]
    public async Task Texts_changed_apart_are_merged_and_the_difference_is_shown()
    {
        await File.WriteAllTextAsync(Drive(1, "plan.txt"), Base, Cancellation);
        await Eventually.Holds(() => File.ReadAllText(Drive(2, "plan.txt")) == Base, "the base arrives");
        string before = await Version(1, "plan.txt");
        await using (FileStream one = new(Drive(1, "plan.txt"), FileMode.Open, FileAccess.ReadWrite))
        await using (FileStream two = new(Drive(2, "plan.txt"), FileMode.Open, FileAccess.ReadWrite))
        {
            await one.WriteAsync(Encoding.UTF8.GetBytes("ONE"), Cancellation);
            two.Position = Base.Length - 5;
            await two.WriteAsync(Encoding.UTF8.GetBytes("FIVE"), Cancellation);
        }

        await Eventually.Holds(() => Directory.GetFiles(Drive(3, "."), "plan*").Length == 2, "both are shown");
        await fixture.Node(3).Must("resolve", "shared/plan.txt", "--keep", "merge");
        string merged = Base.Replace("one", "ONE").Replace("five", "FIVE");
        await Eventually.Holds(
            () => Directory.GetFiles(Drive(2, "."), "plan*").Length == 1
                && File.ReadAllText(Drive(2, "plan.txt")) == merged,
            "one merged text");
        CairnProcess.Outcome diff = await fixture.Node(2).Try("diff", $"shared/plan.txt@{before}");
        Assert.Equal(ExitCode.NotSafe, diff.ExitCode);
        Assert.Contains("-one\n+ONE\n two\n three\n four\n-five\n+FIVE\n", diff.Output, StringComparison.Ordinal);
        await fixture.Node(2).Must("diff", "shared/plan.txt", "shared/plan.txt");
    }

    [Fact]
    public async Task Changes_of_others_are_followed_from_a_position_on_another_machine()
    {
        Directory.CreateDirectory(Drive(1, "feed"));
        await File.WriteAllTextAsync(Drive(1, "feed/a"), "first", Cancellation);
        await Eventually.Holds(() => File.ReadAllText(Drive(3, "feed/a")) == "first", "the first arrives");
        List<JsonElement> all = await Watch(3, "start");
        Assert.Contains(all, change => Is(change, "Created", "feed/a"));
        Assert.Contains(all, change => Is(change, "Written", "feed/a"));
        string position = all[^1].GetProperty("position").GetString()!;
        File.Move(Drive(2, "feed/a"), Drive(2, "feed/b"));
        File.Delete(Drive(2, "feed/b"));
        await Eventually.Holds(() => !File.Exists(Drive(4, "feed/a")), "the removal arrives");
        List<JsonElement> news = await Watch(4, position);
        int moved = news.FindIndex(change => Is(change, "Moved", "feed/b"));
        int removed = news.FindIndex(change => Is(change, "Removed", "feed/b"));
        Assert.True(moved >= 0 && moved < removed);
        Assert.Equal("feed/a", news[moved].GetProperty("fromPath").GetString());
        Assert.DoesNotContain(news, change => Is(change, "Written", "feed/a"));
        await Laptop.MustRefuse(ExitCode.Usage, "no position", "watch", "shared", "--from", "nonsense", "--once");
    }

    private static bool Is(JsonElement change, string kind, string path) =>
        change.GetProperty("kind").GetString() == kind && change.GetProperty("path").GetString() == path;

    private async Task<List<JsonElement>> Watch(int node, string from)
    {
        string lines = await fixture.Node(node).Must("watch", "shared/feed", "--json", "--once", "--from", from);
        List<JsonElement> changes = [];
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument parsed = JsonDocument.Parse(line);
            JsonSchema.Check("ChangeSummary", parsed.RootElement, "watch");
            changes.Add(parsed.RootElement.Clone());
        }

        return changes;
    }

    private async Task<string> Version(int node, string path)
    {
        using JsonDocument log = JsonDocument.Parse(await fixture.Node(node).Must("log", $"shared/{path}", "--json"));
        return log.RootElement[0].GetProperty("version").GetString()!;
    }
}
