using System.Diagnostics;
using System.Globalization;

namespace Cairn.Cli.Demo;

/// <summary>One real node process of the demo: its own home, port and mount.</summary>
public sealed class DemoNode : IDisposable
{
    private readonly string _logPath;
    private Process? _daemon;

    /// <summary>Lays out the node's folders below <paramref name="root"/>.</summary>
    public DemoNode(string root, int number)
    {
        Number = number;
        Name = string.Create(CultureInfo.InvariantCulture, $"node{number}");
        Home = Path.Combine(root, Name);
        Mount = Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"drive{number}"));
        _logPath = Path.Combine(root, Name + ".log");
        Directory.CreateDirectory(Mount);
    }

    /// <summary>1 for the founder.</summary>
    public int Number { get; }

    /// <summary>Its name in the pool.</summary>
    public string Name { get; }

    /// <summary>Its home folder.</summary>
    public string Home { get; }

    /// <summary>Where its drive is mounted.</summary>
    public string Mount { get; }

    /// <summary>The daemon's process id, or 0.</summary>
    public int ProcessId => _daemon?.Id ?? 0;

    /// <summary>Whether the daemon runs.</summary>
    public bool IsRunning => _daemon is { HasExited: false };

    /// <summary>Runs a command on this node that must succeed.</summary>
    public Task<string> Run(CancellationToken cancellation, params string[] arguments) =>
        CairnProcess.MustRun(Home, cancellation, arguments);

    /// <summary>Starts the daemon and waits until it answers.</summary>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="environment">Variables for the daemon alone.</param>
    public async Task Start(CancellationToken cancellation, params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = CairnProcess.StartInfo(Home, ["up", "--no-announce"]);
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        Process daemon = Process.Start(start) ?? throw new DemoException("the daemon did not start");
        _daemon = daemon;
        StreamWriter log = TextWriterTo(_logPath);
        daemon.OutputDataReceived += (_, line) => Append(log, line.Data);
        daemon.ErrorDataReceived += (_, line) => Append(log, line.Data);
        daemon.BeginOutputReadLine();
        daemon.BeginErrorReadLine();
        await WaitUntilItAnswers(daemon, cancellation);
    }

    /// <summary>Ends the daemon with SIGKILL, as a power switch would, and clears its dead mount away.</summary>
    public async Task Kill(CancellationToken cancellation)
    {
        KillProcess();
        await ClearMount(cancellation);
    }

    /// <summary>Ends the daemon with SIGKILL; its mount stays behind, dead.</summary>
    public void KillProcess()
    {
        if (_daemon is { HasExited: false } daemon)
        {
            daemon.Kill();
            daemon.WaitForExit();
        }
    }

    /// <summary>Asks the daemon to stop, and ends it if it does not within ten seconds.</summary>
    public async Task Stop()
    {
        if (_daemon is not { HasExited: false } daemon)
        {
            await ClearMount(CancellationToken.None);
            return;
        }

        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(10));
        try
        {
            using ControlClient client = new(Home);
            using HttpResponseMessage asked = await client.Send(HttpMethod.Post, "/v1/stop", null, patience.Token);
            await daemon.WaitForExitAsync(patience.Token);
        }
        catch (Exception silent) when (silent is OperationCanceledException or CommandException or HttpRequestException)
        {
            daemon.Kill();
        }

        await ClearMount(CancellationToken.None);
    }

    /// <summary>The end of the daemon's log, for the report of a failed check.</summary>
    public string LogTail()
    {
        string tail = File.Exists(_logPath) ? string.Join('\n', File.ReadLines(_logPath).TakeLast(20)) : "(no log)";
        return $"--- {Name}\n{tail}";
    }

    /// <inheritdoc/>
    public void Dispose() => _daemon?.Dispose();

    private static StreamWriter TextWriterTo(string path) => new(path, append: true) { AutoFlush = true };

    private static void Append(StreamWriter log, string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (log)
        {
            log.WriteLine(line);
        }
    }

    private async Task WaitUntilItAnswers(Process daemon, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        string socket = HomeFolder.ControlSocket(Home);
        try
        {
            while (!await ControlClient.Answers(socket, patience.Token))
            {
                if (daemon.HasExited)
                {
                    throw new DemoException($"{Name} ended at once; its log is {_logPath}");
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new DemoException($"{Name} does not answer; its log is {_logPath}");
        }
    }

    private async Task ClearMount(CancellationToken cancellation)
    {
        string mounts = await File.ReadAllTextAsync("/proc/self/mounts", cancellation);
        if (!mounts.Contains(" " + Mount + " ", StringComparison.Ordinal))
        {
            return;
        }

        string tool = Environment.IsPrivilegedProcess ? "umount" : "fusermount3";
        string[] arguments = Environment.IsPrivilegedProcess ? ["-l", Mount] : ["-u", "-z", Mount];
        using Process? umount = Process.Start(tool, arguments);
        if (umount is not null)
        {
            await umount.WaitForExitAsync(cancellation);
        }
    }
}
