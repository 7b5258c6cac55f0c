using Cairn.Core.Primitives;
using Cairn.Fuse.Session;
using Cairn.Gateway.Control;
using Cairn.Io.FuseDevice;
using Cairn.Io.Loop;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Cli.Daemon;

/// <summary>The drives of a daemon: mounts volumes through the FUSE door and remembers them for the next start.</summary>
public sealed class MountManager(string home, INodeControl node, EngineLoop loop) : IMountControl
{
    private readonly SortedDictionary<string, Drive> _drives = new(StringComparer.Ordinal);

    private sealed record Drive(string Volume, FuseMount Mount, FuseSession Session);

    /// <inheritdoc/>
    public IReadOnlyList<MountSummary> Mounts
    {
        get
        {
            lock (_drives)
            {
                return [.. _drives.Select(drive => new MountSummary(drive.Value.Volume, drive.Key))];
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<MountSummary, ControlError>> Mount(string volume, string directory, CancellationToken cancellation)
    {
        Result<MountSummary, ControlError> mounted = await MountNow(volume, directory, cancellation);
        if (mounted.IsOk)
        {
            Remember(config => [.. config.Where(mount => mount.Directory != directory), new MountConfig(volume, directory)]);
        }

        return mounted;
    }

    /// <summary>Mounts what the settings say; what cannot be mounted is reported and tried again at the next start.</summary>
    public async Task MountRemembered(HomeConfig config, Action<string> report, CancellationToken cancellation)
    {
        foreach (MountConfig mount in config.Mounts)
        {
            Result<MountSummary, ControlError> mounted = await MountNow(mount.Volume, mount.Directory, cancellation);
            if (!mounted.TryGet(out _, out ControlError error))
            {
                report($"{mount.Directory} is not mounted: {error.Message}");
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, ControlError>> Unmount(string directory, bool force, CancellationToken cancellation)
    {
        Drive? drive;
        lock (_drives)
        {
            _drives.TryGetValue(directory, out drive);
        }

        if (drive is null)
        {
            return new ControlError(ControlErrorKind.NotFound, $"nothing of this node is mounted at {directory}");
        }

        if (!drive.Mount.Unmount(force).TryGet(out _, out MountError error))
        {
            string advice = error.Kind == MountErrorKind.Busy ? " Close what uses it, or say --force." : string.Empty;
            return new ControlError(ControlErrorKind.InvalidArgument, error + "." + advice);
        }

        await End(directory, drive);
        Remember(config => [.. config.Where(mount => mount.Directory != directory)]);
        return Unit.Value;
    }

    /// <summary>Unmounts everything, for a stop: programs that still use a drive lose it.</summary>
    public async Task UnmountAll()
    {
        KeyValuePair<string, Drive>[] drives;
        lock (_drives)
        {
            drives = [.. _drives];
        }

        foreach ((string directory, Drive drive) in drives)
        {
            drive.Mount.Unmount(force: true);
            await End(directory, drive);
        }
    }

    private async ValueTask<Result<MountSummary, ControlError>> MountNow(string volume, string directory, CancellationToken cancellation)
    {
        Result<IVolume, ControlError> found = await loop.Call(async () => await node.Volume(volume, cancellation));
        if (!found.TryGet(out IVolume? opened, out ControlError error))
        {
            return error;
        }

        lock (_drives)
        {
            if (_drives.ContainsKey(directory))
            {
                return new ControlError(ControlErrorKind.AlreadyExists, $"something is mounted at {directory} already");
            }
        }

        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            // A dead mount answers so too: the mounter clears it away or says what is wrong.
        }

        FuseSession session = new(opened, FuseOptions.Default, TimeProvider.System, Report);
        Result<FuseMount, MountError> mounted = FuseMounter.Mount(
            directory, FuseMountOptions.Default with { Source = "cairn:" + volume }, session, Report);
        if (!mounted.TryGet(out FuseMount? mount, out MountError refused))
        {
            return new ControlError(ControlErrorKind.InvalidArgument, refused.ToString());
        }

        lock (_drives)
        {
            _drives[directory] = new Drive(volume, mount, session);
        }

        return new MountSummary(volume, directory);
    }

    private static void Report(Exception error) => Console.Error.WriteLine("cairn: fuse: " + error);

    private async Task End(string directory, Drive drive)
    {
        await drive.Mount.DisposeAsync();
        await drive.Session.Detach();
        lock (_drives)
        {
            _drives.Remove(directory);
        }
    }

    private void Remember(Func<IReadOnlyList<MountConfig>, IReadOnlyList<MountConfig>> change)
    {
        HomeConfig config = HomeConfig.Load(home);
        (config with { Mounts = change(config.Mounts) }).Save(home);
    }
}
