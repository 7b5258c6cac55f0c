using System.Text.RegularExpressions;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>The first thing a stranger runs.</summary>
public sealed partial class DemoTests
{
    [Fact]
    public async Task The_demo_says_what_to_try_and_leaves_nothing_behind_after_Ctrl_C()
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "there is no /dev/fuse here");
        Terminal.Outcome demo = await Terminal.Run("/nowhere", ["demo"], seconds: 120, ("Ctrl-C stops", "\x03"));
        Assert.True(demo.ExitCode == ExitCode.Ok, demo.Screen);
        Assert.Contains("cp -a", demo.Screen, StringComparison.Ordinal);
        Assert.Contains("kill -9", demo.Screen, StringComparison.Ordinal);
        string[] homes = [.. Home().Matches(demo.Screen).Select(match => match.Groups[1].Value).Distinct()];
        Assert.Equal(4, homes.Length);
        Assert.All(homes, home => Assert.False(Directory.Exists(home), $"{home} was left behind"));
        string mounts = await File.ReadAllTextAsync("/proc/self/mounts", TestContext.Current.CancellationToken);
        Assert.DoesNotContain(Path.GetDirectoryName(homes[0])!, mounts, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"home (/[^)\s]+)\)")]
    private static partial Regex Home();
}
