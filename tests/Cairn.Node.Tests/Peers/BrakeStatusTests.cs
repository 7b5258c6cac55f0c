using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>A pool in which one machine removes everything: all owners are told, and one decides for all.</summary>
public sealed class BrakeStatusTests
{
    private const int Folders = 1000;

    [Fact]
    public void Every_node_shows_who_was_braked_until_somebody_decides()
    {
        PoolBench bench = PoolBench.WithDrives(3, 41);
        (BenchNode owner, BenchNode ruined) = (bench.Nodes[0], bench.Nodes[1]);
        bench.Do(owner, async () =>
        {
            for (int folder = 0; folder < Folders; folder++)
            {
                Assert.True(
                    (await owner.Drive.MakeDirectory(InodeNumber.Root, Name(folder), 0x1ED, Caller.Daemon)).IsOk);
            }

            return Unit.Value;
        });
        bench.Until(() => Find(ruined, Folders - 1).IsOk, "the ruined machine has all");
        bench.Do(ruined, async () =>
        {
            for (int folder = 0; folder < Folders; folder++)
            {
                Assert.True((await ruined.Drive.RemoveDirectory(InodeNumber.Root, Name(folder), Caller.Daemon)).IsOk);
            }

            return Unit.Value;
        });
        bench.Until(() => bench.Nodes.TrueForAll(node => Problem(node) is not null), "all are told");
        Assert.StartsWith(
            "node1 removed or rewrote 100 % of 'shared' between", Problem(owner), StringComparison.Ordinal);
        Assert.StartsWith("This machine removed", Problem(ruined), StringComparison.Ordinal);
        Assert.False(Find(owner, 0).IsOk);
        Assert.True(bench.Do(
            bench.Nodes[2], () => Task.FromResult(bench.Nodes[2].Drive.Brake!.Release([ruined.Id]))).IsOk);
        bench.Until(() => bench.Nodes.TrueForAll(node => Problem(node) is null), "it was decided");
    }

    private static byte[] Name(int folder) => Encoding.UTF8.GetBytes($"d{folder}");

    private static Result<ObjectAttributes, VolumeError> Find(BenchNode node, int folder) =>
        node.Drive.Lookup(InodeNumber.Root, Name(folder)).AsTask().GetAwaiter().GetResult();

    private static string? Problem(BenchNode node) =>
        node.Status().Problems.Where(problem => problem.Code == "braked").Select(problem => problem.Message)
            .SingleOrDefault();
}
