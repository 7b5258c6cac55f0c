using Cairn.Io.Disk;
using Cairn.Storage.Ports;
using Cairn.Storage.Tests.Contracts;

namespace Cairn.Io.Tests.Disk;

public sealed class RealDiskContractTests : DiskContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RealDiskContractTests() => Disk = RealDisk.OpenRoot(_folder["home"]).Value;

    protected override IDisk Disk { get; }

    public void Dispose() => _folder.Dispose();
}
