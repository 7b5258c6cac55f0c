using System.Text;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Tests;

/// <summary>Names that the kernel still believes although another machine replaced or removed what they named.</summary>
public sealed class StaleNamesTests : IAsyncLifetime
{
    private HeldNotices _held = null!;
    private MountedVolume _drive = null!;

    public ValueTask InitializeAsync()
    {
        _drive = MountedVolume.Create(between: session => _held = new HeldNotices(session));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _drive.DisposeAsync();
        _held.Dispose();
    }

    /// <summary>What an editor elsewhere does at each save. The program saw "no such file" for as long as the notice took.</summary>
    [Theory]
    [InlineData("cat f", "new")]
    [InlineData("stat --cached=never -c %s f", "3\n")]
    [InlineData("chmod 600 f && echo done", "done\n")]
    public async Task AFileThatIsReplacedElsewhere_IsNeverMissing(string command, string expected)
    {
        await Make("f", "older");
        Assert.Equal("older", _drive.Run("cat f"));
        _held.Hold();
        await Make("t", "new");
        Assert.True((await _drive.Volume.Rename(
            InodeNumber.Root, "t"u8.ToArray(), InodeNumber.Root, "f"u8.ToArray(), RenameMode.Replace,
            Caller.Daemon)).IsOk);

        // The kernel was told nothing yet.
        Assert.Equal(expected, _drive.Run(command));
        _held.LetGo();
    }

    [Fact]
    public async Task AFileThatIsRemovedElsewhere_IsMissing()
    {
        await Make("f", "older");
        Assert.Equal("older", _drive.Run("cat f"));
        _held.Hold();
        Assert.True((await _drive.Volume.Unlink(InodeNumber.Root, "f"u8.ToArray(), Caller.Daemon)).IsOk);
        Assert.Contains("No such file", _drive.Run("cat f 2>&1 || true"), StringComparison.Ordinal);
        _held.LetGo();
    }

    private async Task Make(string name, string content)
    {
        OpenedFile file = (await _drive.Volume.Create(
            InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenIntent.Write, Caller.Daemon)).Value;
        await _drive.Volume.Write(file.Handle, 0, Encoding.UTF8.GetBytes(content));
        await _drive.Volume.Release(file.Handle);
    }
}
