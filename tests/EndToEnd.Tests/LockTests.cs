using System.Security.Cryptography;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>A node whose keys are sealed with a passphrase: at rest, waiting, opened, and open for good again.</summary>
public sealed class LockTests : IAsyncLifetime
{
    private const string Text = "written before the node was locked";

    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 1, keep: false);

    private DemoNode Node => _pool.Nodes[0];

    private string Right => Path.Combine(_pool.Root, "right");

    private string Wrong => Path.Combine(_pool.Root, "wrong");

    private string KeyFile => Path.Combine(Node.Home, "keys/identity.key");

    public async ValueTask InitializeAsync()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await File.WriteAllTextAsync(Right, "correct horse battery staple\n", cancellation);
        await File.WriteAllTextAsync(Wrong, "correct horse battery stable\n", cancellation);
        string file = Path.Combine(_pool.Root, "file");
        await File.WriteAllTextAsync(file, Text, cancellation);
        await _pool.Start("256MiB", cancellation);
        await Node.Must("volume", "create", "photos");
        await Node.Must("put", file, "photos/file");
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Fact]
    public async Task What_lies_on_the_disk_of_a_locked_node_does_not_hold_its_key()
    {
        byte[] secret = SecretScalar();
        Assert.True(IsAnywhereInTheHome(secret), "the open key is found, else this test proves nothing");
        await Node.Must("lock", "--passphrase-file", Right);
        await Node.Stop();
        Assert.False(IsAnywhereInTheHome(secret), "the sealed home holds the key");
        await Node.MustRefuse(ExitCode.Failed, "sealed already", "lock", "--passphrase-file", Right);
    }

    [Fact]
    public async Task A_daemon_without_the_passphrase_waits_locked_until_unlock_brings_it()
    {
        await Node.Must("lock", "--passphrase-file", Right);
        await Node.Stop();
        await Node.MustRefuse(ExitCode.NoDaemon, "cairn up", "unlock", "--passphrase-file", Right);

        await Node.Start(TestContext.Current.CancellationToken);
        await Node.MustRefuse(ExitCode.Locked, "Locked", "status");
        await Node.MustRefuse(ExitCode.Locked, "cairn unlock", "mount", "photos", Node.Mount);
        await Node.MustRefuse(ExitCode.Locked, "cairn unlock", "cat", "photos/file");
        await Node.MustRefuse(ExitCode.Locked, "not the right one", "unlock", "--passphrase-file", Wrong);
        await Node.MustRefuse(ExitCode.Failed, "runs on", "up", "--passphrase-file", Right);

        await Node.Must("unlock", "--passphrase-file", Right);
        Assert.Contains("Node    node1", await Node.Must("status"), StringComparison.Ordinal);
        Assert.Equal(Text, await Node.Must("cat", "photos/file"));
        await Node.Must("unlock", "--passphrase-file", Right);
    }

    [Fact]
    public async Task The_passphrase_can_come_with_up_and_a_wrong_one_starts_nothing()
    {
        await Node.Must("lock", "--passphrase-file", Right);
        await Node.Stop();
        await Node.MustRefuse(ExitCode.Locked, "not the right one", "up", "--no-announce", "--passphrase-file", Wrong);
        await Node.Must("up", "--detach", "--no-announce", "--passphrase-file", Right);
        Assert.Equal(Text, await Node.Must("cat", "photos/file"));
        await Node.Must("down");
    }

    [Fact]
    public async Task A_seal_that_was_taken_off_is_not_asked_for_again()
    {
        await Node.Must("lock", "--passphrase-file", Right);
        byte[] sealedKey = await File.ReadAllBytesAsync(KeyFile, TestContext.Current.CancellationToken);
        await Node.Stop();
        string[] unlock = ["unlock", "--permanent", "--passphrase-file"];
        await Node.MustRefuse(ExitCode.Locked, "not the right one", [.. unlock, Wrong]);
        Assert.Equal(sealedKey, await File.ReadAllBytesAsync(KeyFile, TestContext.Current.CancellationToken));
        await Node.Must([.. unlock, Right]);
        await Node.Start(TestContext.Current.CancellationToken);
        Assert.Equal(Text, await Node.Must("cat", "photos/file"));
        Assert.Contains("nothing to unlock", await Node.Must("unlock"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_terminal_a_new_passphrase_is_asked_for_twice_and_not_shown()
    {
        Terminal.Outcome differ = await Terminal.Run(
            Node.Home, ["lock"], ("New passphrase: ", "first secret\n"), ("Once more: ", "first secrte\n"));
        Assert.Equal(ExitCode.Failed, differ.ExitCode);
        Assert.Contains("differ", differ.Screen, StringComparison.Ordinal);
        Assert.DoesNotContain("secr", differ.Screen, StringComparison.Ordinal);

        Terminal.Outcome locked = await Terminal.Run(
            Node.Home, ["lock"], ("New passphrase: ", "first secret\n"), ("Once more: ", "first secret\n"));
        Assert.True(locked.ExitCode == ExitCode.Ok, locked.Screen);
        Terminal.Outcome opened = await Terminal.Run(
            Node.Home, ["unlock", "--permanent"], ("Passphrase: ", "first secret\n"));
        Assert.True(opened.ExitCode == ExitCode.Ok, opened.Screen);
    }

    /// <summary>The private number of the identity, from the open key file (docs/formats/key-file.md).</summary>
    private byte[] SecretScalar()
    {
        byte[] file = File.ReadAllBytes(KeyFile);
        using ECDsa key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(file.AsSpan(10), out _);
        return key.ExportParameters(includePrivateParameters: true).D!;
    }

    private bool IsAnywhereInTheHome(byte[] secret) => Directory
        .EnumerateFiles(Node.Home, "*", SearchOption.AllDirectories)
        .Where(path => new FileInfo(path).Length > 0)
        .Any(path => File.ReadAllBytes(path).AsSpan().IndexOf(secret) >= 0);
}
