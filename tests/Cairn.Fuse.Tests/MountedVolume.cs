using System.Diagnostics;
using Cairn.Fuse.Session;
using Cairn.Io.FuseDevice;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;
using Cairn.Simulation.Volumes;

namespace Cairn.Fuse.Tests;

/// <summary>A volume in memory, really mounted on a temporary directory.</summary>
public sealed class MountedVolume : IAsyncDisposable
{
    private readonly List<Exception> _bugs = [];

    private MountedVolume(string directory, MemoryVolume volume, FuseOptions options, bool isLate)
    {
        Directory = directory;
        Volume = volume;
        IVolume mounted = isLate ? new LateVolume(volume) : volume;
        Session = new FuseSession(mounted, options, TimeProvider.System, Report);
    }

    public string Directory { get; }

    public MemoryVolume Volume { get; }

    public FuseSession Session { get; }

    public FuseMount Mount { get; private set; } = null!;

    /// <summary>Mounts; skips the test with the reason where this machine cannot.</summary>
    /// <param name="isLate">The volume answers later, on other threads.</param>
    /// <param name="between">What stands between the kernel and the session; null for nothing.</param>
    public static MountedVolume Create(
        FuseOptions? options = null,
        FuseMountOptions? mountOptions = null,
        bool isLate = false,
        Func<IFuseHandler, IFuseHandler>? between = null)
    {
        SkipIfImpossible();
        string directory = System.IO.Directory.CreateTempSubdirectory("cairn-fuse-").FullName;
        var volume = new MemoryVolume("memory", seed: 7, TimeProvider.System);
        var mounted = new MountedVolume(directory, volume, options ?? FuseOptions.Default, isLate);
        IFuseHandler handler = between?.Invoke(mounted.Session) ?? mounted.Session;
        var mount = FuseMounter.Mount(
            directory, mountOptions ?? FuseMountOptions.Default, handler, mounted.Report);
        Assert.True(mount.IsOk, mount.ToString());
        mounted.Mount = mount.Value;
        return mounted;
    }

    public static void SkipIfImpossible()
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "there is no /dev/fuse on this machine");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can mount without fusermount3's rules");
    }

    public string PathOf(string name) => Path.Combine(Directory, name);

    /// <summary>
    /// Runs a shell script in the mount and gives what it printed; a failure fails the test with its words.
    /// </summary>
    public string Run(string script, TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-euo", "pipefail", "-c", script])
        {
            WorkingDirectory = Directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = "/tmp";
        start.Environment["LC_ALL"] = "C";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        bool isDone = process.WaitForExit(limit ?? TimeSpan.FromSeconds(60));
        if (!isDone)
        {
            process.Kill(entireProcessTree: true);
        }

        Assert.True(isDone, $"still running: {script}");
        Assert.True(process.ExitCode == 0, $"{script}\nexit {process.ExitCode}\n{output.Result}\n{errors.Result}");
        return output.Result;
    }

    public async ValueTask DisposeAsync()
    {
        await Mount.DisposeAsync();
        System.IO.Directory.Delete(Directory);
        lock (_bugs)
        {
            Assert.Empty(_bugs);
        }

        Assert.True(Mount.Completion.IsCompleted, "the mount did not end");

        // A volume that answers late may still be at the last release.
        Assert.True(
            SpinWait.SpinUntil(() => Volume.OpenHandles == 0, TimeSpan.FromSeconds(30)),
            $"{Volume.OpenHandles} handles stay open");
    }

    private void Report(Exception bug)
    {
        lock (_bugs)
        {
            _bugs.Add(bug);
        }
    }
}
