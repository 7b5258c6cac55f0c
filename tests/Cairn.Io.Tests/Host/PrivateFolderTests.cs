using Cairn.Io.Host;
using Cairn.Storage.Ports;

namespace Cairn.Io.Tests.Host;

public sealed class PrivateFolderTests : IDisposable
{
    private const UnixFileMode OnlyOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_it_made_it_finds_again()
    {
        string path = _folder["sockets"];
        Assert.Equal(DiskErrorKind.NotFound, PrivateFolder.Check(path).Error.Kind);
        Assert.True(PrivateFolder.Make(path).IsOk);
        Assert.Equal(OnlyOwner, File.GetUnixFileMode(path));
        Assert.True(PrivateFolder.Make(path).IsOk);
        Assert.True(PrivateFolder.Check(path).IsOk);
    }

    [Fact]
    public void One_that_others_can_enter_is_not_used()
    {
        string path = _folder["sockets"];
        Directory.CreateDirectory(path, OnlyOwner);
        File.SetUnixFileMode(path, OnlyOwner | UnixFileMode.OtherExecute);
        Assert.Equal(DiskErrorKind.NotPermitted, PrivateFolder.Make(path).Error.Kind);
    }

    [Fact]
    public void A_link_or_a_file_in_its_place_is_not_used()
    {
        Assert.True(PrivateFolder.Make(_folder["elsewhere"]).IsOk);
        File.CreateSymbolicLink(_folder["link"], _folder["elsewhere"]);
        Assert.Equal(DiskErrorKind.NotPermitted, PrivateFolder.Make(_folder["link"]).Error.Kind);
        File.WriteAllText(_folder["file"], string.Empty);
        Assert.Equal(DiskErrorKind.NotPermitted, PrivateFolder.Make(_folder["file"]).Error.Kind);
    }
}
