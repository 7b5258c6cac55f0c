using System.Text;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;

namespace Cairn.Node.Tests.Peers;

/// <summary>A daemon dies while its changes are followed: who goes on from the last position misses none.</summary>
public sealed class FollowedFeedTests
{
    private const int Files = 40;
    private const int DeathsMax = 5;

    [Theory]
    [InlineData(441, CrashKind.ProcessKilled)]
    [InlineData(442, CrashKind.PowerLost)]
    [InlineData(443, CrashKind.PowerLost)]
    public void Every_change_is_told_at_least_once_and_in_order(ulong seed, CrashKind kind)
    {
        PoolBench bench = PoolBench.WithDrives(3, seed);
        BenchNode followed = bench.Nodes[2];
        (List<string> told, string position) = ([], string.Empty);
        Task<string[]>[] writers = [.. bench.Nodes.Take(2).Select(node => node.Process.Run(() => Work(node)))];
        int deaths = 0;
        while (!Array.TrueForAll(writers, writer => writer.IsCompleted))
        {
            bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(bench.Random.Next(40)));
            if (followed.FindDrive() is null)
            {
                continue;
            }

            // It may die with what was not yet asked for, or just after it told what is not safe on its disk.
            if (bench.Random.Next(3) == 0)
            {
                position = Follow(followed, position, told);
            }

            if (deaths < DeathsMax && told.Count > deaths * Files / 2 && bench.Random.Next(4) == 0)
            {
                deaths++;
                followed.Kill(kind);
                bench.Scheduler.RunFor(TimeSpan.FromMilliseconds(bench.Random.Next(500)));
                followed.Start();
            }
        }

        string[][] all = [.. writers.Select(writer => bench.Scheduler.Complete(writer, TimeSpan.FromMinutes(1)))];
        bench.Until(
            () =>
            {
                position = followed.FindDrive() is null ? position : Follow(followed, position, told);
                return all.SelectMany(static done => done).All(told.Contains);
            },
            "everything is told");
        Assert.InRange(deaths, 3, DeathsMax);
        foreach (string[] done in all)
        {
            // What comes twice may be anywhere behind; the first times are in the order in which it was done.
            Assert.Equal(done, told.Distinct().Where(done.Contains));
        }

        bench.AssertNoFailures();
    }

    /// <summary>Makes files and moves each: what the feed is to say of it.</summary>
    private static async Task<string[]> Work(BenchNode node)
    {
        List<string> done = [];
        IVolume drive = node.Drive;
        for (int i = 0; i < Files; i++)
        {
            string name = $"{node.Options.Name} {i}";
            Assert.True((await DriveFiles.Write(drive, name, [(byte)i])).IsOk);
            await Task.Delay(TimeSpan.FromMilliseconds(30), node.Process.Time);
            Assert.True((await drive.Rename(
                InodeNumber.Root, Encoding.UTF8.GetBytes(name), InodeNumber.Root,
                Encoding.UTF8.GetBytes(name + " moved"), RenameMode.Replace, Caller.Daemon)).IsOk);
            done.AddRange([$"{ChangeKind.Created} {name}", $"{ChangeKind.Moved} {name} moved"]);
            await Task.Delay(TimeSpan.FromMilliseconds(10), node.Process.Time);
        }

        return [.. done];
    }

    /// <summary>Takes all that is there, and says where it went on.</summary>
    private static string Follow(BenchNode node, string position, List<string> told)
    {
        while (true)
        {
            ChangeStep step = node.Drive.Feed!.After(position).Value;
            told.AddRange(step.Changes.Select(change => $"{change.Kind} {change.Path}"));
            position = step.Position;
            if (step.IsCaughtUp)
            {
                return position;
            }
        }
    }
}
