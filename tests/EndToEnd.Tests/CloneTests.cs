using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>A snapshot becomes a volume of its own, through the command line, on four daemons.</summary>
[Collection("pool")]
public sealed class CloneTests(PoolFixture fixture)
{
    private const int FileBytes = 3_000_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Written to on both sides, emptied and collected on one: all of the clone is read byte by byte elsewhere.</summary>
    [Fact]
    public async Task A_clone_is_whole_on_every_node_after_its_origin_was_emptied_and_collected()
    {
        byte[][] contents = [.. Enumerable.Range(0, 3).Select(_ => RandomNumberGenerator.GetBytes(FileBytes))];
        string folder = Path.Combine(fixture.Node(2).Mount, "project");
        Directory.CreateDirectory(folder);
        for (int i = 0; i < contents.Length; i++)
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, $"f{i}"), contents[i], Cancellation);
        }

        await fixture.Node(2).Must("snapshot", "create", "shared/project", "release");
        await Eventually.Holds(
            () => Encoding.UTF8.GetString(fixture.Node(1).Ask("/v1/snapshots?volume=shared")).Contains("release"),
            "the snapshot arrives");
        using JsonDocument made =
            JsonDocument.Parse(await fixture.Node(1).Must("snapshot", "clone", "shared", "release", "fork", "--json"));
        Assert.Equal("shared@release", made.RootElement.GetProperty("cloneOf").GetString());
        await Eventually.Holds(() => fixture.Node(4).Read("fork", "f2") is not null, "the clone opens elsewhere");

        // Each side goes its own way; what the origin lets go of is collected.
        string scrap = Path.Combine(fixture.Node(2).Mount, "scrap.bin");
        await File.WriteAllBytesAsync(scrap, RandomNumberGenerator.GetBytes(8 * FileBytes), Cancellation);
        await fixture.Node(2).Must("wait", "--safe", "shared/scrap.bin", "--quiet", "--timeout", "60");
        long full = Used();
        contents[1] = RandomNumberGenerator.GetBytes(FileBytes);
        string changed = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllBytesAsync(changed, contents[1], Cancellation);
        await fixture.Node(4).Must("put", changed, "fork/f1");
        File.Delete(changed);
        Directory.Delete(folder, recursive: true);
        File.Delete(scrap);
        await fixture.Node(3).Must("trash", "empty", "shared");
        await Eventually.Holds(() => full - Used() > 6 * FileBytes, "the origin is collected", seconds: 120);
        await Eventually.Holds(
            () => contents.Index().All(file => fixture.Node(3).Read("fork", $"f{file.Index}") is { } read
                && read.SequenceEqual(file.Item)),
            "all of the clone is what it was, and what was written in it");

        // While it is there, what it stands on stays.
        await fixture.Node(3).MustRefuse(1, "'fork'", "snapshot", "rm", "shared", "release");
        await fixture.Node(1).MustRefuse(1, "'fork'", "volume", "rm", "shared", "--yes");
        await fixture.Node(1).Must("volume", "rm", "fork", "--yes");
        await fixture.Node(1).Must("snapshot", "rm", "shared", "release");
    }

    /// <summary>Bytes of chunks on one node, which holds a copy of everything.</summary>
    private long Used()
    {
        using JsonDocument status = JsonDocument.Parse(fixture.Node(3).Ask("/v1/status"));
        JsonElement space = status.RootElement.GetProperty("space");
        return space.GetProperty("replicatedBytes").GetInt64() + space.GetProperty("stagedBytes").GetInt64();
    }
}
