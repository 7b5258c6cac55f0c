using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>Marks of folder limits that admins' nodes keep up to date by themselves.</summary>
public sealed class MarkKeeperTests
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(70);

    [Fact]
    public void What_came_into_a_limited_folder_is_guarded_at_the_next_look_and_once()
    {
        PoolBench bench = PoolBench.WithDrives(2, 41);
        (BenchNode admin, BenchNode limited) = (bench.Nodes[0], bench.Nodes[1]);
        InodeNumber papers = MakeFolder(bench, admin, InodeNumber.Root, "papers");
        bench.Ok(
            admin, () => admin.Node.SetWriters("shared/papers", FolderAccess.Only, ["node0"], false, default).AsTask());
        bench.Scheduler.RunFor(Look);
        Assert.Empty(Folders(admin).Renewals);

        MakeFolder(bench, admin, papers, "more");
        bench.Until(() => Folders(limited).Renewals.Length == 1, "a new mark guards it", Look);
        AdminMark mark = Folders(admin).Renewals[0];
        Assert.True(bench.Put(limited, "beside", [1]).IsOk);
        bench.Until(() => bench.Get(admin, "beside") is not null, "what is written behind the mark counts");
        bench.Scheduler.RunFor(Look);
        Assert.Equal([mark], Folders(admin).Renewals);
    }

    [Fact]
    public void A_mark_that_was_lost_with_its_log_is_written_by_another_admin()
    {
        PoolBench bench = PoolBench.WithDrives(2, 42);
        (BenchNode other, BenchNode hurt) = (bench.Nodes[0], bench.Nodes[1]);
        MakeFolder(bench, hurt, InodeNumber.Root, "papers");
        bench.Until(() => bench.Do(other, async () => (await other.Drive.Resolve("papers")).IsOk), "it is there");
        bench.Network.Cut(hurt.Address, other.Address);
        bench.Until(() => hurt.Connected == 0, "it is cut off");
        bench.Ok(
            hurt, () => hurt.Node.SetWriters("shared/papers", FolderAccess.Only, ["node1"], false, default).AsTask());
        hurt.Kill();
        string volume = other.FindVolume("shared")!.Value.Id.Value.ToHex();
        foreach (string path in hurt.Disk.Files.Where(path => path.Contains(volume, StringComparison.Ordinal)))
        {
            Assert.True(hurt.Disk.Delete(path).IsOk);
        }

        bench.Network.HealAll();
        hurt.Start();
        bench.Until(() => Folders(other).Marks.Length == 1, "the limit is known");
        TransactionId lost = Folders(other).Marks[0];
        Assert.True(bench.Put(other, "hidden", [1]).IsOk);
        bench.Scheduler.RunFor(Look / 2);
        Assert.Null(bench.Get(hurt, "hidden"));
        bench.Until(() => !Folders(other).Marks.Contains(lost), "another stands for it", 3 * Look);
        bench.Until(() => bench.Get(hurt, "hidden") is not null, "what was hidden is there");
    }

    private static FolderRights Folders(BenchNode node) =>
        node.Node.State.Folders.Values.FirstOrDefault(FolderRights.None);

    private static InodeNumber MakeFolder(PoolBench bench, BenchNode node, InodeNumber parent, string name) => bench.Do(
        node,
        async () => (await node.Drive.MakeDirectory(parent, Encoding.UTF8.GetBytes(name), 0x1ED, Caller.Daemon))
            .Value.Inode);
}
