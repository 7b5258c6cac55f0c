using System.Net.Sockets;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>Where a drive can be mounted, how it comes back, and how systemd hears of it.</summary>
public sealed class MountTests : IAsyncLifetime
{
    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 1, keep: false);

    private DemoNode Node => _pool.Nodes[0];

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "there is no /dev/fuse here");
        await _pool.Start("256MiB", TestContext.Current.CancellationToken);
        await Node.Must("volume", "create", "v");
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    [Fact]
    public async Task A_bad_mount_point_is_refused_with_a_reason_and_left_as_it_was()
    {
        string full = Directory.CreateDirectory(Path.Combine(_pool.Root, "full")).FullName;
        await File.WriteAllTextAsync(Path.Combine(full, "file"), "mine", TestContext.Current.CancellationToken);
        await Node.MustRefuse(ExitCode.Failed, "not empty", "mount", "v", full);
        await Node.MustRefuse(ExitCode.Failed, "must be a directory", "mount", "v", Path.Combine(full, "file"));
        await Node.MustRefuse(ExitCode.NotFound, "no such directory", "mount", "v", Path.Combine(full, "no/where"));
        string made = Path.Combine(_pool.Root, "made");
        await Node.MustRefuse(ExitCode.NotFound, "no volume", "mount", "nothing", made);
        Assert.False(Directory.Exists(made));

        await Node.Must("mount", "v", Node.Mount);
        await Node.Must("volume", "create", "w");
        await Node.MustRefuse(ExitCode.Failed, "is mounted there", "mount", "w", Node.Mount);
        using (File.Create(Path.Combine(Node.Mount, "open")))
        {
            await Node.MustRefuse(ExitCode.Failed, "--force", "umount", Node.Mount);
        }

        await Node.Must("umount", Node.Mount);
        Assert.Equal("mine", await File.ReadAllTextAsync(Path.Combine(full, "file")));
    }

    [Fact]
    public async Task Drives_come_back_with_the_daemon_also_after_it_was_killed()
    {
        string file = Path.Combine(Node.Mount, "file");
        await Node.Must("mount", "v", Node.Mount);
        await File.WriteAllTextAsync(file, "text", TestContext.Current.CancellationToken);
        await Node.Must("down");
        Assert.False(File.Exists(file));
        await Node.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(() => File.ReadAllText(file) == "text", "the drive is back after down and up");

        // Killed, the daemon leaves a dead mount behind: the next one clears it away.
        Node.KillProcess();
        Assert.Throws<IOException>(() => Directory.GetFiles(Node.Mount));
        await Node.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(() => File.ReadAllText(file) == "text", "the drive is back after a kill");
        string mounts = await File.ReadAllTextAsync("/proc/self/mounts", TestContext.Current.CancellationToken);
        Assert.Single(mounts.Split('\n'), line => line.Contains(Node.Mount, StringComparison.Ordinal));

        await Node.Must("umount", Node.Mount);
        await Node.Stop();
        await Node.Start(TestContext.Current.CancellationToken);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public async Task Somebody_who_is_not_root_mounts_with_fusermount3()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "this test becomes somebody else");
        Assert.SkipUnless(File.Exists("/usr/bin/fusermount3"), "there is no fusermount3 here");
        string root = Directory.CreateTempSubdirectory("cairn-user-").FullName;
        string program = string.Join(' ', CairnProcess.StartInfo(root, []).ArgumentList);
        try
        {
            // 65534 (nobody) has no home: whatever the daemon needs must lie below CAIRN_HOME.
            // Build machines often keep /dev/fuse to root; here it is everybody's, as udev makes it, in a namespace of the test.
            await Shell.Run(
                $$"""
                [ -v OWN_MOUNTS ] || OWN_MOUNTS=1 exec unshare --mount bash -eu -o pipefail -c "$BASH_EXECUTION_STRING"
                mknod fuse c 10 229 && chmod 666 fuse && mount --bind fuse /dev/fuse
                chmod 755 . && mkdir home drive && chown 65534:65534 home drive
                c() { setpriv --reuid 65534 --regid 65534 --clear-groups \
                  env HOME=$PWD/home CAIRN_HOME=$PWD/home/node DOTNET_CLI_HOME=$PWD/home dotnet {{program}} "$@"; }
                trap 'c down; fusermount3 -u -z drive 2>/dev/null || true' EXIT
                c init --space 128MiB --listen 127.0.0.1:0 --quiet > /dev/null && c up --detach --no-announce --quiet
                c volume create v --quiet && c mount v drive
                setpriv --reuid 65534 --regid 65534 --clear-groups sh -c \
                  'echo mine > drive/file && test "$(cat drive/file)" = mine && test "$(stat -c %u drive/file)" = 65534'
                c cat v/file | grep -qx mine
                c umount drive
                mkdir closed && chmod 700 closed && mkdir closed/dir
                ! c mount v "$PWD/closed/dir" 2> error && cat error >&2 && grep -qi 'no such directory\|denied' error
                """,
                root);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public async Task Systemd_is_told_when_the_daemon_serves_and_when_it_ends()
    {
        await Node.Stop();
        string path = Path.Combine(_pool.Root, "notify");
        using Socket systemd = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        systemd.ReceiveTimeout = 30_000;
        await Node.Start(TestContext.Current.CancellationToken, ("NOTIFY_SOCKET", path));
        Assert.StartsWith("STATUS=listening on 127.0.0.1:", Receive(systemd), StringComparison.Ordinal);
        Assert.Equal("READY=1", Receive(systemd));
        await Node.Must("down");
        Assert.Equal("STOPPING=1", Receive(systemd));
    }

    private static string Receive(Socket socket)
    {
        byte[] message = new byte[4096];
        return System.Text.Encoding.UTF8.GetString(message, 0, socket.Receive(message));
    }
}
