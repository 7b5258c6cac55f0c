using Cairn.Io.FuseDevice;

namespace Cairn.Io.Tests.FuseDevice;

/// <summary>Directories by the name that the kernel's list of mounts has for them.</summary>
public sealed class MountPathTests : IDisposable
{
    private readonly string _root = MountPath.Resolve(Directory.CreateTempSubdirectory("cairn-path-").FullName);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("real/", "real")]
    [InlineData("real/./x/..", "real")]
    [InlineData("relative", "real")]
    [InlineData("absolute/below", "real/below")]
    [InlineData("twice/below/absent", "real/below/absent")]
    [InlineData("absent", "absent")]
    [InlineData("dangling", "nothing")]
    public void Links_are_followed(string asked, string expected)
    {
        Directory.CreateDirectory(Path.Combine(_root, "real/below"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "relative"), "../" + Path.GetFileName(_root) + "/real");
        Directory.CreateSymbolicLink(Path.Combine(_root, "absolute"), Path.Combine(_root, "real"));
        Directory.CreateSymbolicLink(Path.Combine(_root, "twice"), "absolute");
        File.CreateSymbolicLink(Path.Combine(_root, "dangling"), "nothing");
        Assert.Equal(Path.Combine(_root, expected), MountPath.Resolve(Path.Combine(_root, asked)));
    }

    [Fact]
    public void A_loop_of_links_ends()
    {
        File.CreateSymbolicLink(Path.Combine(_root, "a"), "b");
        File.CreateSymbolicLink(Path.Combine(_root, "b"), "a");
        Assert.StartsWith(_root, MountPath.Resolve(Path.Combine(_root, "a/c")), StringComparison.Ordinal);
        Assert.Equal("/", MountPath.Resolve("/../.."));
    }
}
