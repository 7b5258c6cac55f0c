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

    private async Task<string> Version(int node, string path)
    {
        using JsonDocument log = JsonDocument.Parse(await fixture.Node(node).Must("log", $"shared/{path}", "--json"));
        return log.RootElement[0].GetProperty("version").GetString()!;
    }
}
