using System.Security.Cryptography;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>Space of deleted files comes back on every node, while all are online.</summary>
[Collection("pool")]
public sealed class GarbageTests(PoolFixture fixture)
{
    private const int FileBytes = 24_000_000;

    [Fact]
    public async Task Deleted_files_give_their_space_back_on_all_nodes()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string path = Path.Combine(fixture.Node(2).Mount, "to-be-deleted.bin");
        await File.WriteAllBytesAsync(path, RandomNumberGenerator.GetBytes(FileBytes), cancellation);
        await fixture.Node(2).Run(
            cancellation, "wait", "--safe", "shared/to-be-deleted.bin", "--quiet", "--timeout", "60");
        long[] full = Used();
        File.Delete(path);
        await fixture.Node(3).Run(cancellation, "trash", "empty", "shared");
        long[] now = full;
        await Eventually.Holds(
            () =>
            {
                now = Used();
                return now.Zip(full).All(pair => pair.Second - pair.First > FileBytes * 0.9);
            },
            $"every node gave the space back; used were {string.Join(", ", full)}",
            seconds: 120);
        Assert.All(now, used => Assert.True(used >= 0));
    }

    [Fact]
    public async Task A_removed_volume_gives_its_space_its_logs_and_its_indexes_back_on_all_nodes()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string made = await fixture.Node(1).Must("volume", "create", "passing", "--json");
        using JsonDocument volume = JsonDocument.Parse(made);
        string id = volume.RootElement.GetProperty("id").GetString()!;
        await fixture.Node(2).Write("passing", "large.bin", RandomNumberGenerator.GetBytes(FileBytes));
        await fixture.Node(2).Run(cancellation, "wait", "--safe", "passing", "--quiet", "--timeout", "60");
        long[] full = Used();
        Assert.NotEmpty(FilesNamed(id));

        await fixture.Node(1).Must("volume", "rm", "passing", "--yes");
        long[] now = full;
        await Eventually.Holds(
            () =>
            {
                now = Used();
                return now.Zip(full).All(pair => pair.Second - pair.First > FileBytes * 0.9);
            },
            $"every node gave the space back; used were {string.Join(", ", full)}",
            seconds: 120);
        await Eventually.Holds(
            () => FilesNamed(id).Length == 0, "its logs and indexes are gone from every home", seconds: 60);
    }

    /// <summary>What lies in the nodes' homes under a name that begins with an id.</summary>
    private string[] FilesNamed(string id) => [.. Enumerable.Range(1, 4).SelectMany(number =>
        Directory.EnumerateFileSystemEntries(fixture.Node(number).Home, $"{id}*", SearchOption.AllDirectories))];

    /// <summary>Bytes of chunks, as each node's status says.</summary>
    private long[] Used() => [.. Enumerable.Range(1, 4).Select(number =>
    {
        using JsonDocument status = JsonDocument.Parse(fixture.Node(number).Ask("/v1/status"));
        JsonElement space = status.RootElement.GetProperty("space");
        return space.GetProperty("replicatedBytes").GetInt64() + space.GetProperty("stagedBytes").GetInt64()
            + space.GetProperty("cachedBytes").GetInt64();
    })];
}
