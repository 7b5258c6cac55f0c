using Cairn.Core.Log;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>What is said of who may change a volume and its folders.</summary>
public sealed class WritersTests
{
    [Fact]
    public void Who_may_change_a_folder_and_not_its_volume_is_shown_as_shut_out()
    {
        PoolBench bench = PoolBench.WithDrives(3, 51);
        BenchNode admin = bench.Nodes[0];
        Assert.True(bench.Do(admin, async () => (await admin.Drive.MakeDirectory(
            InodeNumber.Root, "papers"u8.ToArray(), 0x1ED, Caller.Daemon)).IsOk));
        IReadOnlyList<FolderWriters> Listed() =>
            bench.Ok(admin, () => admin.Node.FolderWriters("shared", default).AsTask());
        void Limit(string path, params string[] nodes) => bench.Ok(
            admin, () => admin.Node.SetWriters(path, FolderAccess.Only, nodes, false, default).AsTask());

        Limit("shared/papers", "node1", "node2");
        Assert.All(Listed(), folder => Assert.Empty(folder.ShutOut));
        Limit("shared", "node0", "node1");
        Assert.Collection(
            Listed(),
            volume => Assert.Empty(volume.ShutOut),
            folder => Assert.Equal(["node2"], folder.ShutOut));
        bench.Ok(admin, () => admin.Node.ForbidWriting("node1", default).AsTask());
        Assert.Collection(
            Listed(),
            volume => Assert.Equal(["node1"], volume.ShutOut),
            folder => Assert.Equal(["node1", "node2"], folder.ShutOut.Order()));
    }
}
