using System.Diagnostics;
using Cairn.Cli.Daemon;
using Cairn.Core.Primitives;
using Cairn.Gateway.Control;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Simulation.Volumes;

namespace Cairn.Cli.Tests.Daemon;

/// <summary>Mounting and unmounting as the control socket asks for it, with a volume in memory.</summary>
public sealed class DriveMountsTests : IAsyncLifetime
{
    private readonly string _root = Directory.CreateTempSubdirectory("cairn-mounts-").FullName;
    private readonly List<string> _said = [];
    private readonly MemoryVolume _volume = new("photos", seed: 1, TimeProvider.System);
    private readonly DriveMounts _mounts;
    private IReadOnlyList<MountConfig> _settings = [];

    private string? _loss;

    public DriveMountsTests() => _mounts = new DriveMounts(Find, Remember, _said.Add);

    public ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "there is no /dev/fuse on this machine");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can mount without fusermount3's rules");
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await _mounts.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task AMountedDrive_IsListedRememberedAndUnmounted()
    {
        string directory = Folder("a");
        Assert.True((await _mounts.Mount("photos", directory + "/", default)).IsOk);
        Assert.True((await _mounts.Mount("photos", directory, default)).IsOk);
        Assert.Equal([new MountSummary("photos", directory)], _mounts.Mounts);
        Assert.Equal([new MountConfig("photos", directory)], _settings);
        File.WriteAllText(Path.Combine(directory, "f"), "x");
        using (File.OpenRead(Path.Combine(directory, "f")))
        {
            Result<Unit, ControlError> busy = await _mounts.Unmount(directory, force: false, default);
            Assert.Contains("close them", busy.Error.Message, StringComparison.Ordinal);
        }

        Assert.True((await _mounts.Unmount(directory, force: false, default)).IsOk);
        Assert.Empty(_mounts.Mounts);
        Assert.Empty(_mounts.Problems);
        Assert.Empty(_settings);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
        Assert.Equal(ControlErrorKind.NotFound, (await _mounts.Unmount(directory, force: false, default)).Error.Kind);
    }

    [Fact]
    public async Task ADriveMountedThroughALink_IsUnmountedThroughItAndThroughItsOwnName()
    {
        string directory = Folder("a");
        string link = Path.Combine(_root, "link");
        Directory.CreateSymbolicLink(link, "a");
        foreach (string name in new[] { link, directory })
        {
            Assert.True((await _mounts.Mount("photos", link, default)).IsOk);
            Assert.Equal([new MountSummary("photos", directory)], _mounts.Mounts);
            Assert.True((await _mounts.Mount("photos", directory, default)).IsOk);
            Assert.Equal([new MountConfig("photos", directory)], _settings);
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
            Assert.True((await _mounts.Unmount(name, force: false, limit.Token)).IsOk);
            Assert.Empty(_settings);
            Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
        }
    }

    /// <summary>A full disk keeps the settings from being written: the drive is what was asked for, and the loss is said.</summary>
    [Fact]
    public async Task WhatCannotBeRemembered_IsDoneAndSaid()
    {
        _loss = "no space";
        string directory = Folder("a");
        Result<MountSummary, ControlError> mounted = await _mounts.Mount("photos", directory, default);
        Assert.Contains("no space", mounted.Error.Message, StringComparison.Ordinal);
        Assert.Equal([new MountSummary("photos", directory)], _mounts.Mounts);
        Result<Unit, ControlError> unmounted = await _mounts.Unmount(directory, force: false, default);
        Assert.Contains("no space", unmounted.Error.Message, StringComparison.Ordinal);
        Assert.Empty(_mounts.Mounts);
    }

    [Fact]
    public async Task TheDriveOfAVolumeThatIsRemoved_IsUnmountedAndForgotten()
    {
        string directory = Folder("a");
        Assert.True((await _mounts.Mount("photos", directory, default)).IsOk);
        using FileStream open = File.Create(Path.Combine(directory, "open"));
        _volume.Close();
        while (_said.Count == 0)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.Contains("removed", _said[0], StringComparison.Ordinal);
        Assert.Empty(_mounts.Mounts);
        Assert.Empty(_settings);
        Assert.Empty(Directory.EnumerateFileSystemEntries(directory));
    }

    [Fact]
    public async Task WhatCannotBeMounted_IsSaidAndNotRemembered()
    {
        Assert.Equal(ControlErrorKind.NotFound, (await _mounts.Mount("other", Folder("a"), default)).Error.Kind);
        Assert.Equal(
            ControlErrorKind.NotFound, (await _mounts.Mount("photos", Path.Combine(_root, "no"), default)).Error.Kind);
        File.WriteAllText(Path.Combine(_root, "a", "f"), "x");
        Assert.Equal(
            ControlErrorKind.Unsuitable, (await _mounts.Mount("photos", Folder("a"), default)).Error.Kind);
        Assert.Empty(_settings);
    }

    [Fact]
    public async Task AtStart_EveryDriveThatCanBe_IsMounted()
    {
        await _mounts.MountAll([new("other", Folder("a")), new("photos", Folder("b"))], default);
        Assert.Equal([new MountSummary("photos", Path.Combine(_root, "b"))], _mounts.Mounts);
        Assert.Equal(2, _said.Count);
    }

    /// <summary>Its folder was written into while it was away: what is there now is not the drive, and somebody must be told.</summary>
    [Fact]
    public async Task ADriveThatCannotBeMountedAtStart_IsAProblemUntilItIsMounted()
    {
        string directory = Folder("a");
        string stray = Path.Combine(directory, "stray");
        File.WriteAllText(stray, "x");
        await _mounts.MountAll([new("photos", directory)], default);
        NodeProblem problem = Assert.Single(_mounts.Problems);
        Assert.Equal("not-mounted", problem.Code);
        Assert.Contains("not empty", problem.Message, StringComparison.Ordinal);
        File.Delete(stray);
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (_mounts.Mounts.Count == 0)
        {
            await Task.Delay(50, limit.Token);
        }

        Assert.Empty(_mounts.Problems);
    }

    /// <summary>It is mounted again at the next start: until then, what is written into the folder is not in the drive.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ADriveThatIsUnmountedFromOutside_IsAProblemUntilItIsMountedOrGivenUp(bool isGivenUp)
    {
        string directory = Folder("a");
        Assert.True((await _mounts.Mount("photos", directory, default)).IsOk);
        using (Process umount = Process.Start("umount", directory))
        {
            await umount.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, umount.ExitCode);
        }

        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (_mounts.Mounts.Count > 0)
        {
            await Task.Delay(10, limit.Token);
        }

        NodeProblem problem = Assert.Single(_mounts.Problems);
        Assert.Equal("not-mounted", problem.Code);
        Assert.Contains("not by `cairn umount`", problem.Message, StringComparison.Ordinal);
        Assert.Contains($"`cairn mount photos {directory}`", problem.Advice, StringComparison.Ordinal);
        Assert.Single(_settings);
        Assert.True(isGivenUp
            ? (await _mounts.Unmount(directory, force: false, default)).IsOk
            : (await _mounts.Mount("photos", directory, default)).IsOk);
        Assert.Empty(_mounts.Problems);
        Assert.Equal(isGivenUp ? 0 : 1, _settings.Count);
    }

    [Fact]
    public async Task ADriveThatCannotBeMountedAtStart_CanBeGivenUp()
    {
        string directory = Folder("a");
        _settings = [new("other", directory)];
        await _mounts.MountAll(_settings, default);
        Assert.Single(_mounts.Problems);
        Assert.True((await _mounts.Unmount(directory, force: false, default)).IsOk);
        Assert.Empty(_mounts.Problems);
        Assert.Empty(_settings);
        Assert.Equal(ControlErrorKind.NotFound, (await _mounts.Unmount(directory, force: false, default)).Error.Kind);
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(_root, name)).FullName;

    private string? Remember(Func<IReadOnlyList<MountConfig>, IReadOnlyList<MountConfig>> change)
    {
        _settings = _loss is null ? change(_settings) : _settings;
        return _loss;
    }

    private ValueTask<Result<IVolume, ControlError>> Find(string name, CancellationToken cancellation) =>
        new(name == _volume.Name
            ? Result<IVolume, ControlError>.Ok(_volume)
            : new ControlError(ControlErrorKind.NotFound, $"there is no volume '{name}'"));
}
