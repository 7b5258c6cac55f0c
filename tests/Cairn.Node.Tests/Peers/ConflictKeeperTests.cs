using System.Text;
using Cairn.Core.Rules;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>Nodes that meet again end conflicts as the rule says, once and everywhere.</summary>
public sealed class ConflictKeeperTests
{
    /// <summary>More than are looked at in one go.</summary>
    private const int KeptMany = 300;

    private const string Base = "one\ntwo\nthree\nfour\nfive\n";

    [Theory]
    [InlineData("merge-text", "ONE\ntwo\nthree\nfour\nfive\n", "one\ntwo\nthree\nfour\nFIVE\n",
        "ONE\ntwo\nthree\nfour\nFIVE\n")]
    [InlineData("newest", "by the first\n", "by the second\n", "by the second\n")]
    [InlineData("prefer-node node0", "by the first\n", "by the second\n", "by the first\n")]
    [InlineData("prefer-user anna", "by the first\n", "by the second\n", "by the first\n")]
    public void Two_that_worked_apart_find_one_file_when_they_meet(
        string rule, string first, string second, string wanted)
    {
        PoolBench bench = Apart(rule, out BenchNode one, out BenchNode two);
        Save(bench, one, "doc", first);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        one.Kill();
        two.Start();
        Settle(bench, two);
        Save(bench, two, "doc", second);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        one.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, wanted)), $"all show {wanted}");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        Assert.All(bench.Nodes, node => Assert.True(Shows(bench, node, wanted)));
    }

    [Fact]
    public void Saves_by_rename_on_both_sides_are_merged()
    {
        PoolBench bench = Apart("merge-text", out BenchNode one, out BenchNode two);
        const string wanted = "zero\n" + Base + "six\n";
        SaveByRename(bench, one, "zero\n" + Base);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        one.Kill();
        two.Start();
        Settle(bench, two);
        SaveByRename(bench, two, Base + "six\n");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        one.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, wanted)), "one merged file");
    }

    [Fact]
    public void What_both_changed_in_one_place_is_left_to_people_who_may_merge_what_can_be()
    {
        PoolBench bench = Apart("merge-text", out BenchNode one, out BenchNode two);
        Save(bench, one, "doc", Base.Replace("two", "2"));
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        one.Kill();
        two.Start();
        Settle(bench, two);
        Save(bench, two, "doc", Base.Replace("two", "II"));
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        one.Start();
        bench.Until(() => bench.Nodes.TrueForAll(node => Names(bench, node).Count == 2), "both are shown");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(30));
        Assert.All(bench.Nodes, node => Assert.Equal(2, Names(bench, node).Count));
        Assert.Equal(new MergeReport(MergeOutcome.Overlap, 2), Merge(bench, one));

        // Somebody mends it: then the rule ends the conflict.
        string conflict = Names(bench, one).Single(name => name != "doc");
        string shown = Text(bench, one, "doc");
        InodeNumber side = bench.Do(one, async () => (await one.Drive.Lookup(
            InodeNumber.Root, Encoding.UTF8.GetBytes(conflict))).Value.Inode);
        Told told = new();
        using IDisposable watch = one.Drive.Watch(told);
        Save(bench, one, conflict, shown.Replace("five", "5"));
        bench.Until(() => bench.Nodes.TrueForAll(node => Names(bench, node).Count == 1), "one file");
        Assert.Contains((side, true), told.Objects);
        Assert.Equal(MergeOutcome.NoConflict, Merge(bench, one).Outcome);
    }

    [Fact]
    public void All_sides_are_merged_however_many_there_are()
    {
        PoolBench bench = PoolBench.WithDrives(3, 603);
        Save(bench, bench.Nodes[0], "doc", Base);
        bench.Until(() => bench.Nodes.TrueForAll(node => Shows(bench, node, Base)), "the base arrives");
        foreach (BenchNode node in bench.Nodes)
        {
            bench.Nodes.ForEach(other => bench.Network.Cut(node.Address, other.Address));
        }

        bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 0), "each is alone");
        Save(bench, bench.Nodes[0], "doc", Base.Replace("one", "1"));
        Save(bench, bench.Nodes[1], "doc", Base.Replace("three", "3"));
        Save(bench, bench.Nodes[2], "doc", Base.Replace("five", "5"));
        bench.Network.HealAll();
        bench.Until(() => bench.Nodes.TrueForAll(node => Names(bench, node).Count == 3), "all are shown");
        Assert.Equal(MergeOutcome.Merged, Merge(bench, bench.Nodes[1]).Outcome);
        bench.Until(
            () => bench.Nodes.TrueForAll(node => Shows(bench, node, "1\ntwo\n3\nfour\n5\n")), "one merged file");
    }

    /// <summary>Conflicts that a rule leaves to people stand before others for as long as nobody looks after them.</summary>
    [Fact]
    public void Behind_many_that_are_kept_another_is_ended_all_the_same()
    {
        PoolBench bench = PoolBench.WithDrives(2, 602);
        (BenchNode one, BenchNode two) = (bench.Nodes[0], bench.Nodes[1]);
        Assert.True(bench.Do(one, async () =>
        {
            // The root comes before all folders where conflicts are gone through.
            InodeNumber folder = (await one.Drive.MakeDirectory(
                InodeNumber.Root, "ruled"u8.ToArray(), 0x1ED, Caller.Daemon)).Value.Inode;
            return one.Drive.Rules!.Set(folder, new Rule { Conflicts = ConflictRule.Parse("newest")!.Value });
        }).IsOk);
        bench.Until(
            () => bench.Do(two, async () => (await two.Drive.ResolveParent("ruled/doc")).IsOk), "the folder arrives");
        bench.Network.Cut(one.Address, two.Address);
        bench.Until(() => one.Connected == 0 && two.Connected == 0, "cut in two");
        bench.Nodes.ForEach(node => MakeMany(bench, node, KeptMany));
        Assert.True(bench.Put(one, "ruled/doc", "by 0\n"u8.ToArray()).IsOk);
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(2));
        Assert.True(bench.Put(two, "ruled/doc", "by 1\n"u8.ToArray()).IsOk);
        bench.Network.HealAll();
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(20));
        Assert.All(bench.Nodes, node => Assert.Equal(KeptMany, node.Drive.History!.Conflicts().Count));
        Assert.All(bench.Nodes, node => Assert.Equal("by 1\n", Text(bench, node, "ruled/doc")));
    }

    private static void MakeMany(PoolBench bench, BenchNode node, int count) =>
        Assert.True(bench.Do(node, async () =>
        {
            bool isOk = true;
            for (int i = 0; i < count; i++)
            {
                isOk &= (await node.Drive.MakeSymbolicLink(
                    InodeNumber.Root, Encoding.UTF8.GetBytes($"kept {i}"), new byte[] { (byte)(0x61 + node.Index) },
                    Caller.Daemon)).IsOk;
            }

            return isOk;
        }));

    /// <summary>Two nodes that both have "doc" under a rule; the second is down.</summary>
    private static PoolBench Apart(string rule, out BenchNode one, out BenchNode two)
    {
        PoolBench bench = PoolBench.WithDrives(2, 601);
        (BenchNode first, BenchNode second) = (bench.Nodes[0], bench.Nodes[1]);
        ConflictRule way = ConflictRule.Parse(rule)!.Value;
        way = way.Mode == ConflictMode.PreferUser ? way.With([first.Id]) : way;
        Assert.True(bench.Do(first, () => Task.FromResult(first.Drive.Rules!.Set(
            InodeNumber.Root, new Rule { Conflicts = way }))).IsOk);
        Save(bench, first, "doc", Base);
        bench.Until(() => Text(bench, second, "doc") == Base, "the base arrives");
        bench.Until(() => first.Status().Owed.SendBlocks == 0, "the logs are even");
        second.Kill();
        (one, two) = (first, second);
        return bench;
    }

    private static void Settle(PoolBench bench, BenchNode node) =>
        bench.Until(() => node.FindDrive() is not null, "the drive is open");

    private static void Save(PoolBench bench, BenchNode node, string name, string text) =>
        Assert.True(bench.Do(node, async () =>
        {
            IVolume volume = node.Drive;
            OpenedFile opened = (await volume.Create(
                InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenIntent.Write | OpenIntent.Truncate,
                Caller.Daemon)).Value;
            bool isOk = (await volume.Write(opened.Handle, 0, Encoding.UTF8.GetBytes(text))).IsOk;
            await volume.Flush(opened.Handle, 0);
            await volume.Release(opened.Handle);
            return isOk;
        }));

    private static void SaveByRename(PoolBench bench, BenchNode node, string text)
    {
        Save(bench, node, "doc~", text);
        Assert.True(bench.Do(node, async () => (await node.Drive.Rename(
            InodeNumber.Root, "doc~"u8.ToArray(), InodeNumber.Root, "doc"u8.ToArray(), RenameMode.Replace,
            Caller.Daemon)).IsOk));
    }

    private static MergeReport Merge(PoolBench bench, BenchNode node) => bench.Do(
        node, async () => (await node.Drive.History!.Merge(InodeNumber.Root, "doc"u8.ToArray())).Value);

    private static bool Shows(PoolBench bench, BenchNode node, string text) =>
        node.FindDrive() is not null && Names(bench, node) is ["doc"] && Text(bench, node, "doc") == text;

    private static string Text(PoolBench bench, BenchNode node, string name) =>
        Encoding.UTF8.GetString(bench.Get(node, name) ?? []);

    private static List<string> Names(PoolBench bench, BenchNode node) => bench.Do(node, async () =>
    {
        IReadOnlyList<DirectoryEntry> entries = (await node.Drive.ReadDirectory(InodeNumber.Root, 0, 100)).Value;
        return entries.Select(entry => Encoding.UTF8.GetString(entry.Name.Span)).ToList();
    });
}
