using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>Members on virtual time that drop old blocks soon, and what happens to their indexes.</summary>
internal static class DroppedPool
{
    /// <summary>From one checkpoint to the next.</summary>
    public const int Between = 40;

    /// <summary>How long one stands before it is settled.</summary>
    public static readonly TimeSpan Horizon = TimeSpan.FromMinutes(5);

    /// <summary>Members that have dropped nothing yet.</summary>
    public static PoolBench Of(int count, ulong seed, int adminsMax = int.MaxValue) =>
        PoolBench.WithDrives(count, seed, tableFrom: Between, horizon: Horizon, adminsMax: adminsMax);

    /// <summary>Writes so many files in turn, each in a block of its own.</summary>
    public static void Fill(PoolBench bench, int files, int attributeBytes = 0) =>
        Fill(bench, bench.Nodes, files, attributeBytes);

    /// <summary>Some of the members write so many files in turn, each in a block of its own.</summary>
    public static void Fill(
        PoolBench bench, IReadOnlyList<BenchNode> writers, int files, int attributeBytes = 0)
    {
        for (int i = 0; i < files; i++)
        {
            BenchNode writer = writers[i % writers.Count];
            Assert.True(bench.Put(writer, $"file {i}", [(byte)i]).IsOk);
            Assert.True(attributeBytes == 0 || bench.SetAttribute(writer, $"file {i}", attributeBytes).IsOk);
            bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(20));
        }
    }

    /// <summary>Until every member has dropped something.</summary>
    public static void UntilDropped(PoolBench bench) => UntilDropped(bench, bench.Nodes);

    /// <summary>Until each of some members has dropped something.</summary>
    public static void UntilDropped(PoolBench bench, IReadOnlyList<BenchNode> nodes) =>
        bench.Until(() => nodes.All(HasDropped), "old blocks are dropped", TimeSpan.FromHours(1));

    /// <summary>Whether a log begins later here.</summary>
    public static bool HasDropped(BenchNode node)
    {
        VolumeId volume = node.FindVolume("shared")!.Value.Id;
        return node.Stores!.Logs.Logs(volume).Any(log => !node.Stores.Logs.Beginning(volume, log).IsFirst);
    }

    /// <summary>Removes the indexes of a node that is down, by how their names begin.</summary>
    public static void Lose(BenchNode node, string beginning)
    {
        foreach (string name in node.Indexes.Keys.Where(
            name => name.StartsWith(beginning, StringComparison.Ordinal)).ToArray())
        {
            node.Indexes.Remove(name);
        }
    }

    /// <summary>The name of a moment, so long after the simulation's beginning.</summary>
    public static string Moment(PoolBench bench, BenchNode node, TimeSpan when)
    {
        DateTimeOffset began = node.Process.Time.GetUtcNow() - bench.Scheduler.Now;
        return (began + when).ToString("'@'yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", null);
    }

    /// <summary>A file as it was then.</summary>
    public static Result<ObjectAttributes, VolumeError> At(
        PoolBench bench, BenchNode node, TimeSpan when, string name = "file 1")
    {
        string moment = Moment(bench, node, when);
        return bench.Do(node, () => node.Drive.Resolve($".snapshots/{moment}/{name}").AsTask());
    }
}
