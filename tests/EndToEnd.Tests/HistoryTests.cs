using System.Text;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>The past, through the command line, on nodes that did not write it.</summary>
[Collection("pool")]
public sealed class HistoryTests(PoolFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Drive(int node, params string[] path) => Path.Combine([fixture.Node(node).Mount, .. path]);

    private Task<string> Cairn(int node, params string[] arguments) => fixture.Node(node).Run(Cancellation, arguments);

    /// <summary>Writes on one node and waits until another shows it.</summary>
    private async Task Save(string path, string text)
    {
        await File.WriteAllTextAsync(Drive(1, path), text, Cancellation);
        await Eventually.Holds(() => File.ReadAllText(Drive(2, path)) == text, $"{path} arrives as {text}");
    }

    private async Task<List<string>> Versions(string path)
    {
        using JsonDocument log = JsonDocument.Parse(await Cairn(2, "log", $"shared/{path}", "--json"));
        return [.. log.RootElement.EnumerateArray().Select(version => version.GetProperty("version").GetString()!)];
    }

    [Fact]
    public async Task A_past_version_is_listed_read_and_restored_on_another_node()
    {
        await Save("history.txt", "first");
        await Save("history.txt", "the second");
        List<string> versions = await Versions("history.txt");
        Assert.Equal("first", await Cairn(3, "cat", $"shared/history.txt@{versions[^1][..8]}"));
        Assert.Equal("the second", await Cairn(3, "cat", "shared/history.txt"));
        await Cairn(2, "restore", $"shared/history.txt@{versions[^1]}");
        await Eventually.Holds(() => File.ReadAllText(Drive(4, "history.txt")) == "first", "the old content is back");
        Assert.Equal(versions.Count + 1, (await Versions("history.txt")).Count);
    }

    [Fact]
    public async Task What_an_editor_saved_by_rename_has_a_history()
    {
        await Save("renamed.txt", "one");
        await File.WriteAllTextAsync(Drive(1, "renamed.txt~"), "two!", Cancellation);
        File.Move(Drive(1, "renamed.txt~"), Drive(1, "renamed.txt"), overwrite: true);
        await Eventually.Holds(() => File.ReadAllText(Drive(2, "renamed.txt")) == "two!", "the second save arrives");
        List<string> versions = await Versions("renamed.txt");
        Assert.Equal("one", await Cairn(3, "cat", $"shared/renamed.txt@{versions[^1]}"));
    }

    [Fact]
    public async Task A_removed_file_is_brought_back_by_another_node()
    {
        Directory.CreateDirectory(Drive(1, "attic"));
        await Save("attic/lost.txt", "not lost");
        Directory.Delete(Drive(1, "attic"), recursive: true);
        await Eventually.Holds(() => !Directory.Exists(Drive(2, "attic")), "the removal arrives");
        Assert.Contains("attic/lost.txt", await Cairn(2, "trash", "ls", "shared/attic"), StringComparison.Ordinal);
        Assert.Single(await Versions("attic/lost.txt"));
        await Cairn(2, "undelete", "shared/attic/lost.txt");
        await Eventually.Holds(() => File.ReadAllText(Drive(1, "attic", "lost.txt")) == "not lost", "it is back");
    }

    [Theory]
    [InlineData("mine")]
    [InlineData("theirs")]
    [InlineData("both")]
    public async Task A_conflict_is_listed_and_ended(string keep)
    {
        string path = $"apart-{keep}.txt";
        await Save(path, "base");
        await using (FileStream one = new(Drive(1, path), FileMode.Open, FileAccess.ReadWrite))
        await using (FileStream two = new(Drive(2, path), FileMode.Open, FileAccess.ReadWrite))
        {
            await one.WriteAsync(Encoding.UTF8.GetBytes("of one"), Cancellation);
            await two.WriteAsync(Encoding.UTF8.GetBytes("of two"), Cancellation);
        }

        string[] Shown(int node) =>
            [.. Directory.GetFiles(Drive(node), $"apart-{keep}*").Select(File.ReadAllText).Order()];
        await Eventually.Holds(() => Shown(2).SequenceEqual(["of one", "of two"]), "both are shown");
        Assert.Contains(path, await Cairn(2, "conflicts", "shared"), StringComparison.Ordinal);
        Assert.Equal(4, (await fixture.Node(2).Try("conflicts", "shared/nowhere")).ExitCode);

        // By whatever name it is shown under.
        string beside = Path.GetFileName(Directory.GetFiles(Drive(2), $"apart-{keep} (conflict*").Single());
        await Cairn(2, "resolve", $"shared/{beside}", "--keep", keep);
        string[] wanted = keep switch { "mine" => ["of two"], "theirs" => ["of one"], _ => ["of one", "of two"] };
        for (int node = 1; node <= 4; node++)
        {
            await Eventually.Holds(() => Shown(node).SequenceEqual(wanted), $"node {node} shows what was kept");
            Assert.DoesNotContain(path, await Cairn(node, "conflicts", "shared"), StringComparison.Ordinal);
        }
    }
}
