using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>A snapshot shows what it showed after a member was revoked, and the volume is written with new keys.</summary>
public sealed class SnapshotEpochTests
{
    private const int Files = 6;
    private const string Past = ".snapshots/s/";

    [Fact]
    public void A_snapshot_shows_the_same_bytes_everywhere_after_the_key_changed()
    {
        PoolBench bench = PoolBench.WithDrives(4, 421);
        (BenchNode admin, BenchNode bad) = (bench.Nodes[0], bench.Nodes[3]);
        BenchNode[] good = [.. bench.Nodes.SkipLast(1)];
        byte[][] before = [.. Enumerable.Range(0, Files).Select(i => bench.Bytes(i % 2 == 0 ? 200_000 : 300))];
        for (int i = 0; i < Files; i++)
        {
            Assert.True(bench.Put(bench.Nodes[i % 4], $"f{i}", before[i]).IsOk);
        }

        bench.Until(() => Shows(bench, admin, string.Empty, before), "all is at the admin's");
        Assert.True(bench.Do(
            admin, () => admin.Drive.Snapshots!.Create(InodeNumber.Root, "s"u8.ToArray(), default).AsTask()).IsOk);
        bench.Until(
            () => bench.Nodes.TrueForAll(node => Shows(bench, node, Past, before)), "the snapshot is everywhere");
        bench.Until(() => bench.Nodes.TrueForAll(node => node.Status().Owed.SendChunks == 0), "all is safe");

        EpochId[] old = Epochs(admin);
        bench.Ok(admin, () => admin.Node.RevokeNode(bad.Options.Name, default).AsTask());
        bad.Kill();
        bench.Until(() => good.All(node => Epochs(node).Except(old).Any()), "all know the new key");

        // Two stay as they are; the others are written anew with the new key, or removed.
        byte[] after = bench.Bytes(200_000);
        Assert.True(bench.Put(good[1], "f0", after).IsOk);
        Assert.True(bench.Put(good[2], "f1", after).IsOk);
        Assert.True(bench.Delete(admin, "f2") && bench.Delete(admin, "f3"));
        BenchNode newcomer = bench.NewNode();
        bench.Join(newcomer, admin, MemberRole.Member);
        BenchNode[] all = [.. good, newcomer];
        bench.Until(
            () => all.All(node => node.FindDrive() is not null && bench.Get(node, "f1") is { Length: 200_000 }
                && bench.Get(node, "f0") is { } read && read.SequenceEqual(after) && bench.Get(node, "f3") is null),
            "the present is everywhere");
        Assert.All(all, node => Assert.True(Shows(bench, node, Past, before), node.Options.Name));
        Assert.All(all, node => Assert.Equal(before[5], bench.Get(node, "f5")));

        foreach (BenchNode node in all)
        {
            node.Kill();
            node.Start();
        }

        bench.Until(() => all.All(node => node.FindDrive() is not null && node.Connected == 3), "all are back");
        Assert.All(all, node => Assert.True(Shows(bench, node, Past, before), node.Options.Name));
    }

    private static bool Shows(PoolBench bench, BenchNode node, string folder, byte[][] contents) =>
        Enumerable.Range(0, Files).All(
            i => bench.Get(node, $"{folder}f{i}") is { } read && read.SequenceEqual(contents[i]));

    private static EpochId[] Epochs(BenchNode node) =>
        [.. node.Node.State.Keys.Select(grant => grant.Epoch).Distinct()];
}
