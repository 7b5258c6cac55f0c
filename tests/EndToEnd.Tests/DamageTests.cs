using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>
/// Files of a stopped node that rot or are cut short. Whatever is damaged, the node starts, says so, shows every file as it
/// was, and has its copies back in the end; nothing is lost that the pool still has.
/// </summary>
public sealed class DamageTests : IAsyncLifetime
{
    private const int SmallFiles = 8;

    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 2, keep: false);
    private readonly byte[] _big = RandomNumberGenerator.GetBytes(5_000_000);

    /// <summary>Flips a bit every so many bytes of what is in use.</summary>
    private const string Flip = "flip";

    /// <summary>Cuts the file in half.</summary>
    private const string Cut = "cut";

    /// <summary>Deletes the file.</summary>
    private const string Delete = "delete";

    public async ValueTask InitializeAsync()
    {
        await _pool.Start("256MiB", TestContext.Current.CancellationToken);
        DemoNode writer = _pool.Nodes[0];
        await writer.Must("volume", "create", "v");
        string file = Path.Combine(_pool.Root, "file");
        await File.WriteAllBytesAsync(file, _big, TestContext.Current.CancellationToken);
        await writer.Must("put", file, "v/big");
        for (int i = 0; i < SmallFiles; i++)
        {
            await writer.Write("v", $"small{i}", Text(i));
        }

        await writer.Must("wait", "--safe", "--timeout", "60", "--quiet");
        await Eventually.Holds(() => IsWhole(_pool.Nodes[1]), "the other node shows every file");
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Theory]
    [InlineData(2, "store/packs", "*.pack", Flip)]
    [InlineData(2, "store/packs", "*.pack", Cut)]
    [InlineData(2, "store/logs", "*.log", Flip)]
    [InlineData(2, "store/logs", "*.log", Cut)]
    [InlineData(1, "store/logs", "*.log", Flip)]
    [InlineData(1, "store/logs", "*.log", Cut)]
    [InlineData(1, "store/logs", "*.log", Delete)]
    [InlineData(2, "index", "*.db", Flip)]
    [InlineData(1, "store/journal", "*.seg", Flip)]
    public async Task Damage_is_survived_reported_and_mended(int number, string folder, string files, string how)
    {
        DemoNode node = _pool.Nodes[number - 1];
        await node.Stop();
        int damaged = 0;
        foreach (string path in Directory.EnumerateFiles(Path.Combine(node.Home, folder), files))
        {
            damaged += Damage(path, how) ? 1 : 0;
        }

        await node.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(
            () => IsWhole(node), $"every file is right after damage to {damaged} files", seconds: 90);
        Assert.True(IsWhole(_pool.Nodes[2 - number]), "the other node is untouched");

        // Packs and logs hold what only peers have: that is said. Indexes and an empty journal are rebuilt.
        if (damaged > 0 && folder is "store/packs" or "store/logs")
        {
            using JsonDocument status = JsonDocument.Parse(await node.Must("status", "--json"));
            Assert.Contains(
                status.RootElement.GetProperty("problems").EnumerateArray(),
                problem => problem.GetProperty("code").GetString() == "damage");
        }

        // The mended node carries on alone: what was damaged is here again.
        await node.Must("wait", "--safe", "--timeout", "90", "--quiet");
        await node.Must("put", Path.Combine(_pool.Root, "file"), "v/after");
        await Eventually.Holds(() => _pool.Nodes[2 - number].Read("v", "after") is { Length: > 0 }, "changes travel");
    }

    private static byte[] Text(int number) =>
        Encoding.UTF8.GetBytes($"small file {number} ".PadRight(100 + (number * 37), 'x'));

    private static bool Damage(string path, string how)
    {
        if (how == Delete)
        {
            File.Delete(path);
            return true;
        }

        byte[] bytes = File.ReadAllBytes(path);
        int used = bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        if (used < 64)
        {
            return false;
        }

        if (how == Cut)
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Write);
            file.SetLength(used / 2);
            return true;
        }

        for (int at = used / 3; at < used; at += Math.Max(97, used / 3))
        {
            bytes[at] ^= 0x10;
        }

        File.WriteAllBytes(path, bytes);
        return true;
    }

    private bool IsWhole(DemoNode node) =>
        node.Read("v", "big").AsSpan().SequenceEqual(_big)
        && Enumerable.Range(0, SmallFiles).All(i => node.Read("v", $"small{i}").AsSpan().SequenceEqual(Text(i)));
}
