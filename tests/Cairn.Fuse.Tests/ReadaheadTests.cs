using System.Globalization;
using Cairn.Fuse.Session;
using Cairn.Io.FuseDevice;

namespace Cairn.Fuse.Tests;

/// <summary>The kernel reads ahead as far as it was told: its default of 128 KiB halves sequential reading.</summary>
public sealed class ReadaheadTests
{
    [Fact]
    public async Task Readahead_IsWhatTheOptionsSay()
    {
        await using MountedVolume drive = MountedVolume.Create();
        File.WriteAllText(drive.PathOf("f"), "the mount has answered: its setting is final");
        MountEntry mounted = MountTable.Find(drive.Directory)!.Value;
        string setting = File.ReadAllText($"/sys/class/bdi/{mounted.Device}/read_ahead_kb");
        int kibibytes = int.Parse(setting, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        Assert.Equal(FuseOptions.Default.ReadaheadBytes >> 10, kibibytes);
    }
}
