namespace Cairn.Fuse.Tests;

/// <summary>The shortest way through the kernel and back.</summary>
public sealed class MountSmokeTests
{
    [Fact]
    public async Task AFile_IsWrittenReadListedAndRemoved()
    {
        await using MountedVolume drive = MountedVolume.Create();
        string printed = drive.Run("""
            mkdir d; echo hello > d/f; cat d/f; ls d; stat -c '%F %s %a %h' d/f; mv d/f g; ln g h; stat -c %h h
            rm g h; rmdir d; ls -A | wc -l; grep " $PWD " /proc/mounts | cut -d' ' -f1,3
            """);
        Assert.Equal("hello\nf\nregular file 6 644 1\n2\n0\ncairn fuse.cairn\n", printed);
    }
}
