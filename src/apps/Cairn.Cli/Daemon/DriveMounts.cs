using Cairn.Core.Primitives;
using Cairn.Fuse.Session;
using Cairn.Gateway.Control;
using Cairn.Io.FuseDevice;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Cli.Daemon;

/// <summary>The drives this daemon has mounted: wires volumes to the FUSE door and the door to /dev/fuse.</summary>
/// <remarks>
/// Safe from several threads; one mount or unmount at a time. A drive that somebody unmounted from outside leaves the list and is
/// a problem, because it is mounted again at the next start: only <see cref="Unmount"/> takes it out of the settings.
/// </remarks>
public sealed class DriveMounts : IMountControl, IAsyncDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private readonly Func<string, CancellationToken, ValueTask<Result<IVolume, ControlError>>> _find;
    private readonly Func<Func<IReadOnlyList<MountConfig>, IReadOnlyList<MountConfig>>, string?> _remember;
    private readonly Action<string> _say;
    private readonly SemaphoreSlim _one = new(1);
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, (string Volume, FuseMount Mount)> _mounts = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Missing> _missing = new(StringComparer.Ordinal);
    private readonly HashSet<FuseMount> _givenUp = [];
    private volatile bool _isEnding;

    /// <summary>No drives yet.</summary>
    /// <param name="find">A volume by its name; may be called from any thread.</param>
    /// <param name="remember">Changes the drives of the settings; why they could not be written, or null.</param>
    /// <param name="say">Where news for people goes: the daemon's log.</param>
    public DriveMounts(
        Func<string, CancellationToken, ValueTask<Result<IVolume, ControlError>>> find,
        Func<Func<IReadOnlyList<MountConfig>, IReadOnlyList<MountConfig>>, string?> remember,
        Action<string> say)
    {
        _find = find;
        _remember = remember;
        _say = say;
    }

    /// <summary>A drive that should be mounted and is not.</summary>
    /// <param name="Volume">The volume's name.</param>
    /// <param name="Why">What kept it from being mounted; null when somebody unmounted it from outside.</param>
    private sealed record Missing(string Volume, string? Why);

    /// <inheritdoc/>
    public IReadOnlyList<MountSummary> Mounts
    {
        get
        {
            lock (_gate)
            {
                return [.. _mounts.Select(entry => new MountSummary(entry.Value.Volume, entry.Key))];
            }
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<NodeProblem> Problems
    {
        get
        {
            lock (_gate)
            {
                return [.. _missing.Select(static entry => Problem(entry.Key, entry.Value))];
            }
        }
    }

    /// <summary>
    /// Mounts what the settings name; what fails is said, does not stop the rest, and is tried again until it is mounted or given up:
    /// a volume may open later, and a folder be emptied.
    /// </summary>
    public async Task MountAll(IReadOnlyList<MountConfig> drives, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(drives);
        foreach (MountConfig drive in drives)
        {
            Result<MountSummary, ControlError> mounted = await Start(drive.Volume, drive.Directory, cancellation);
            if (mounted.TryGet(out _, out ControlError error))
            {
                _say($"'{drive.Volume}' is mounted at {drive.Directory}");
                continue;
            }

            lock (_gate)
            {
                _missing[Normal(drive.Directory)] = new Missing(drive.Volume, error.Message);
            }

            _say($"'{drive.Volume}' could not be mounted: {error.Message}");
            _ = MountLater(drive, cancellation);
        }
    }

    private async Task MountLater(MountConfig drive, CancellationToken cancellation)
    {
        try
        {
            do
            {
                await Task.Delay(LookAgain, cancellation);
            }
            while (IsWaiting(drive) && !await TryAgain(drive, cancellation));
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            // The daemon ends; the next start does it again.
        }
    }

    private async Task<bool> TryAgain(MountConfig drive, CancellationToken cancellation)
    {
        Result<MountSummary, ControlError> mounted = await Start(drive.Volume, drive.Directory, cancellation);
        if (mounted.TryGet(out _, out ControlError error))
        {
            _say($"'{drive.Volume}' is mounted at {drive.Directory} now");
            return true;
        }

        bool isNews;
        lock (_gate)
        {
            string path = Normal(drive.Directory);
            isNews = _missing.TryGetValue(path, out Missing? last) && last.Why != error.Message;
            if (isNews)
            {
                _missing[path] = new Missing(drive.Volume, error.Message);
            }
        }

        if (isNews)
        {
            _say($"'{drive.Volume}' could not be mounted: {error.Message}");
        }

        return false;
    }

    /// <summary>Whether nobody gave the drive up, or mounted something there.</summary>
    private bool IsWaiting(MountConfig drive)
    {
        lock (_gate)
        {
            return _missing.TryGetValue(Normal(drive.Directory), out Missing? there)
                && there.Volume == drive.Volume && there.Why is not null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Result<MountSummary, ControlError>> Mount(
        string volume, string directory, CancellationToken cancellation)
    {
        Result<MountSummary, ControlError> mounted = await Start(volume, directory, cancellation);
        if (mounted.IsOk)
        {
            var drive = new MountConfig(volume, mounted.Value.Directory);
            string? lost = _remember(drives => [.. Others(drives, drive.Directory), drive]);
            if (lost is not null)
            {
                return Forgetful($"It is mounted, and will not be when the daemon starts again: {lost}");
            }
        }

        return mounted;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, ControlError>> Unmount(
        string directory, bool force, CancellationToken cancellation)
    {
        string path = Normal(directory);
        FuseMount? mount;
        bool isMissing;
        lock (_gate)
        {
            mount = _mounts.TryGetValue(path, out (string Volume, FuseMount Mount) found) ? found.Mount : null;
            isMissing = _missing.Remove(path);
            _ = mount is not null && _givenUp.Add(mount);
        }

        if (mount is null)
        {
            return !isMissing
                ? new ControlError(ControlErrorKind.NotFound, $"no drive is mounted at {path}")
                : _remember(drives => [.. Others(drives, path)]) is { } kept
                ? Forgetful($"It is given up until the daemon starts again: {kept}")
                : Unit.Value;
        }

        if (!mount.Unmount(force).TryGet(out _, out MountError error))
        {
            lock (_gate)
            {
                _givenUp.Remove(mount);
            }

            return ToControl(error);
        }

        string? lost = _remember(drives => [.. Others(drives, path)]);
        if (!force)
        {
            await mount.Completion.WaitAsync(cancellation);
        }

        Forget(path, mount);
        return lost is null
            ? Unit.Value
            : Forgetful($"It is unmounted, and will be mounted again when the daemon starts: {lost}");
    }

    private static NodeProblem Problem(string path, Missing drive) => drive.Why is { } why
        ? new NodeProblem(
            "not-mounted",
            $"The drive of '{drive.Volume}' is not mounted: {why.TrimEnd('.')}.",
            $"What is written into {path} meanwhile is on this machine alone. It is mounted when it can be; "
            + $"`cairn umount {path}` gives the drive up.")
        : new NodeProblem(
            "not-mounted",
            $"The drive of '{drive.Volume}' is not mounted: it was unmounted from {path}, and not by `cairn umount`.",
            $"What is written into {path} meanwhile is on this machine alone. `cairn mount {drive.Volume} {path}` "
            + $"mounts it again, and so does the next start; `cairn umount {path}` gives the drive up.");

    private static ControlError Forgetful(string sentence) => new(ControlErrorKind.Storage, sentence);

    /// <summary>Unmounts every drive, cutting off those who still have files open: the daemon ends.</summary>
    public async ValueTask DisposeAsync()
    {
        FuseMount[] mounts;
        _isEnding = true;
        lock (_gate)
        {
            mounts = [.. _mounts.Values.Select(entry => entry.Mount)];
        }

        await Task.WhenAll(mounts.Select(mount => mount.DisposeAsync().AsTask()));
        _one.Dispose();
    }

    private async Task<Result<MountSummary, ControlError>> Start(
        string volume, string directory, CancellationToken cancellation)
    {
        string path = Normal(directory);
        await _one.WaitAsync(cancellation);
        try
        {
            lock (_gate)
            {
                if (_mounts.TryGetValue(path, out (string Volume, FuseMount Mount) there) && there.Volume == volume)
                {
                    return new MountSummary(volume, path);
                }
            }

            if (!(await _find(volume, cancellation)).TryGet(out IVolume? found, out ControlError error))
            {
                return error;
            }

            var session = new FuseSession(found, Options, TimeProvider.System, Report);
            Result<FuseMount, MountError> mounted =
                FuseMounter.Mount(path, FuseMountOptions.Default with { Source = $"cairn:{volume}" }, session, Report);
            if (!mounted.TryGet(out FuseMount? mount, out MountError refused))
            {
                return ToControl(refused);
            }

            lock (_gate)
            {
                _mounts[path] = (volume, mount);
                _missing.Remove(path);
            }

            IDisposable watch = found.Watch(new VolumeEnd(() => Task.Run(() => OnRemoved(volume, path, mount))));
            _ = WatchEnd(volume, path, mount, watch);
            return new MountSummary(volume, path);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>A user's own mount shows that user as the owner: other machines have other numbers.</summary>
    private static FuseOptions Options => FuseMounter.OnlyUser is { } user
        ? FuseOptions.Default with { ShownOwner = new ShownOwner(user.UserId, user.GroupId) }
        : FuseOptions.Default;

    /// <summary>A drive of nothing would only fail. A volume closes, too, when the node stops, but then drives went before.</summary>
    private void OnRemoved(string volume, string path, FuseMount mount)
    {
        if (_isEnding || !Forget(path, mount))
        {
            return;
        }

        mount.Unmount(force: true);
        _remember(drives => [.. Others(drives, path)]);
        _say($"'{volume}' was removed: its drive at {path} is unmounted");
    }

    private async Task WatchEnd(string volume, string path, FuseMount mount, IDisposable watch)
    {
        await mount.Completion;
        watch.Dispose();
        lock (_gate)
        {
            bool isGivenUp = _givenUp.Remove(mount) || _isEnding;
            if (!Forget(path, mount))
            {
                return;
            }

            if (!isGivenUp)
            {
                _missing[path] = new Missing(volume, null);
            }
        }

        _say($"the drive at {path} was unmounted");
    }

    private bool Forget(string path, FuseMount mount)
    {
        lock (_gate)
        {
            return _mounts.TryGetValue(path, out (string Volume, FuseMount Mount) there)
                && ReferenceEquals(there.Mount, mount)
                && _mounts.Remove(path);
        }
    }

    private void Report(Exception bug) => _say($"the drive met a bug: {bug}");

    /// <summary>One name for a directory, by whatever links it is reached.</summary>
    private static string Normal(string directory) => MountPath.Resolve(directory);

    private static IEnumerable<MountConfig> Others(IEnumerable<MountConfig> drives, string path) =>
        drives.Where(other => Normal(other.Directory) != path);

    private static ControlError ToControl(MountError error) => new(
        error.Kind switch
        {
            MountErrorKind.NotFound => ControlErrorKind.NotFound,
            MountErrorKind.Busy => ControlErrorKind.AlreadyExists,
            MountErrorKind.NotADirectory or MountErrorKind.NotEmpty => ControlErrorKind.Unsuitable,
            MountErrorKind.NotPermitted => ControlErrorKind.NotPermitted,
            MountErrorKind.NoFuse or MountErrorKind.NoHelper or MountErrorKind.Other => ControlErrorKind.Storage,
            _ => ControlErrorKind.Storage,
        },
        error.ToString());

    /// <summary>Hears of a volume's end, and of nothing else.</summary>
    private sealed class VolumeEnd(Action ended) : IVolumeWatcher
    {
        public void ObjectChanged(InodeNumber inode, bool contentChanged, long? grownFrom = null)
        {
        }

        public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name)
        {
        }

        public void Closed() => ended();
    }
}
