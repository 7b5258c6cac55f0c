using Cairn.Simulation.Campaigns;

namespace Cairn.Simulation.Tests.Campaigns;

/// <summary>Small campaigns: whole pools, every fault, every check. Long ones run by <c>cairn simulate</c>.</summary>
public sealed class CampaignTests
{
    private const string Lacking = "files that lack a part";
    private const string Settled = "volumes with a settled one";
    private const string Dropped = "logs that begin later";
    private const string SettledWithout = "volumes with one that was settled without somebody";

    private static readonly CampaignOptions Small = new()
    {
        Nodes = 4,
        Duration = TimeSpan.FromMinutes(30),
        StormLength = TimeSpan.FromMinutes(15),
        ThinkTime = TimeSpan.FromSeconds(15),
        FaultInterval = TimeSpan.FromMinutes(2),
        SpaceBytes = 256L << 20,
    };

    [Theory]
    [InlineData(3, 1)]
    [InlineData(5, 1)]
    public void A_calm_pool_keeps_every_promise(int nodes, ulong seed) =>
        AssertGood(Campaign.Run(Small with
        {
            Nodes = nodes,
            Seed = seed,
            Faults = FaultKinds.None,
            Duration = TimeSpan.FromMinutes(10),
        }));

    [Theory]
    [InlineData(4, 13)]
    [InlineData(5, 12)]
    public void A_pool_in_a_storm_keeps_every_promise(int nodes, ulong seed) =>
        AssertGood(Campaign.Run(Small with { Nodes = nodes, Seed = seed }));

    /// <summary>Seeds of campaigns in which a member was never taken back: a purge, or a volume, that a late word had undone.</summary>
    [Theory]
    [InlineData(2, 42, 20, 10, 60, 20044)]
    [InlineData(5, 36, 20, 20, 90, 20032)]
    public void Members_are_taken_back_though_volumes_came_and_went_without_them(
        int nodes, int minutes, int storm, int think, int pause, ulong seed) =>
        AssertGood(Campaign.Run(Small with
        {
            Nodes = nodes,
            Seed = seed,
            Duration = TimeSpan.FromMinutes(minutes),
            StormLength = TimeSpan.FromMinutes(storm),
            ThinkTime = TimeSpan.FromSeconds(think),
            FaultInterval = TimeSpan.FromSeconds(pause),
            Faults = nodes == 2
                ? FaultKinds.All
                : FaultKinds.Partition | FaultKinds.Crash | FaultKinds.Clock | FaultKinds.Forget | FaultKinds.Away
                    | FaultKinds.LostIndex,
        }));

    /// <summary>Where all was folded again a chunk counted as condemned that no list named any more: its copy was never remade.</summary>
    [Fact]
    public void What_no_condemnation_names_after_all_was_folded_again_gets_its_copies() =>
        AssertGood(Campaign.Run(Small with
        {
            Nodes = 3,
            Seed = 13104,
            StormLength = TimeSpan.FromMinutes(10),
            Duration = TimeSpan.FromMinutes(10),
            ThinkTime = TimeSpan.FromSeconds(8),
            FaultInterval = TimeSpan.FromSeconds(80),
            Faults = FaultKinds.Partition | FaultKinds.OneWay | FaultKinds.Crash | FaultKinds.Forget
                | FaultKinds.Collect | FaultKinds.Away,
        }));

    /// <summary>Records of removed clones, and what waited for a segment to be wiped, kept all segments of a journal in the end.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_machine_that_dies_again_and_again_takes_writes_all_the_same(ulong seed) =>
        AssertGood(Campaign.Run(Small with
        {
            Nodes = 3,
            Seed = seed,
            ThinkTime = TimeSpan.FromSeconds(4),
            SpaceBytes = 128L << 20,
            Faults = FaultKinds.Restarts | FaultKinds.Crash | FaultKinds.Partition,
        }));

    /// <summary>A block of an own log rotted, and came back from a peer: what lay behind it, on no other machine, was lost.</summary>
    [Fact]
    public void What_lies_behind_a_rotten_block_is_kept() =>
        AssertGood(Campaign.Run(Small with
        {
            Seed = 13000,
            StormLength = TimeSpan.FromMinutes(10),
            Duration = TimeSpan.FromMinutes(10),
            ThinkTime = TimeSpan.FromSeconds(10),
            FaultInterval = TimeSpan.FromSeconds(100),
            KeepsNothing = true,
            Faults = FaultKinds.Partition | FaultKinds.Crash | FaultKinds.BitRot | FaultKinds.Forget
                | FaultKinds.Away | FaultKinds.LostIndex,
        }));

    [Fact]
    public void Every_kind_of_fault_happens()
    {
        // Only a node that owes nothing is rotted, which is rare while everything else goes wrong, too; and so are a round
        // of collection, which no member may be away for, and a checkpoint, which all must make.
        CampaignOptions busy = Small with { Seed = 7, Duration = TimeSpan.FromMinutes(15) };
        RunReport all = Campaign.Run(busy with { FaultInterval = TimeSpan.FromSeconds(60) });
        RunReport rare = Campaign.Run(busy with
        {
            Faults = FaultKinds.BitRot | FaultKinds.Collect,
            FaultInterval = TimeSpan.FromSeconds(20),
            KeepsNothing = true,
        });
        AssertGood(rare);
        Assert.Equal(FaultWords.All, all.Faults.Select(fault => fault.Key));
        string[] words = FaultWords.List(FaultKinds.All).Split(',');
        Assert.All(
            all.Faults.Zip(rare.Faults).Where(pair => words.Contains(pair.First.Key)),
            pair => Assert.True(pair.First.Value + pair.Second.Value > 0, $"no {pair.First.Key}"));
        Assert.All(
            all.Deeds.Zip(rare.Deeds).Where(
                pair => pair.First.Key is not (Settled or Dropped or SettledWithout or Lacking)),
            pair => Assert.True(pair.First.Value + pair.Second.Value > 0, $"no {pair.First.Key}"));
    }

    /// <summary>All must have made a checkpoint, and it must have stood for the horizon: a quarter of a storm.</summary>
    [Fact]
    public void Checkpoints_are_settled_while_members_are_forgotten_and_come_back()
    {
        RunReport report = Campaign.Run(Small with
        {
            Seed = 200,
            Faults = FaultKinds.Away | FaultKinds.LostIndex | FaultKinds.Crash,
            Duration = TimeSpan.FromMinutes(45),
            ThinkTime = TimeSpan.FromSeconds(8),
        });
        AssertGood(report);
        Assert.True(report.Deeds.Single(deed => deed.Key == Settled).Value > 0, "nothing was settled");
        Assert.True(report.Deeds.Single(deed => deed.Key == Dropped).Value > 0, "nothing was dropped");
    }

    /// <summary>One hands everything on and leaves, and a new one begins with what the others give it, again and again.</summary>
    [Fact]
    public void Machines_are_replaced_between_storms()
    {
        RunReport report = Campaign.Run(Small with
        {
            Nodes = 3,
            Seed = 7700,
            Faults = FaultKinds.Crash | FaultKinds.LostIndex | FaultKinds.Replace,
            Duration = TimeSpan.FromMinutes(13),
            StormLength = TimeSpan.FromMinutes(5),
        });
        AssertGood(report);
        Assert.Equal(2, report.Faults.Single(fault => fault.Key == FaultWords.Of(FaultKinds.Replace)).Value);
    }

    [Fact]
    public void Runs_at_once_are_the_same_as_one_after_the_other_and_come_in_order()
    {
        CampaignOptions[] runs =
        [
            .. Enumerable.Range(31, 3).Select(static seed => Small with
            {
                Nodes = 3,
                Seed = (ulong)seed,
                Duration = TimeSpan.FromMinutes(3),
            }),
        ];
        (ulong, ulong)[] alone = [.. runs.Select(static run => Facts(Campaign.Run(run)))];
        Assert.Equal(alone, CampaignBatch.Run(runs, 3).Select(Facts));

        static (ulong, ulong) Facts(RunReport report) => (report.Seed, report.TraceHash);
    }

    [Fact]
    public void Nothing_goes_wrong_that_was_not_asked_for()
    {
        RunReport report = Campaign.Run(
            Small with { Seed = 8, Faults = FaultKinds.Clock, Duration = TimeSpan.FromMinutes(10) });
        Assert.All(report.Faults, fault => Assert.Equal(fault.Key == "clock", fault.Value > 0));
        AssertGood(report);
    }

    [Fact]
    public void A_disk_that_lies_about_syncs_is_noticed()
    {
        RunReport report = Campaign.Run(Small with
        {
            Seed = 9,
            Faults = FaultKinds.Torn,
            FaultInterval = TimeSpan.FromSeconds(30),
            Bug = PlantedBug.LyingDisk,
        });
        Assert.NotEmpty(report.Broken);
    }

    [Fact]
    public void The_same_seed_is_the_same_run_to_the_byte()
    {
        CampaignOptions options = Small with { Duration = TimeSpan.FromMinutes(10), Seed = 5 };
        RunReport first = Campaign.Run(options);
        RunReport again = Campaign.Run(options);
        RunReport other = Campaign.Run(options with { Seed = 6 });
        Assert.Equal(first.TraceHash, again.TraceHash);
        Assert.Equal(first.Events, again.Events);
        Assert.Equal(first.Faults, again.Faults);
        Assert.NotEqual(first.TraceHash, other.TraceHash);
    }

    [Fact]
    public void A_chunk_that_is_dropped_everywhere_is_noticed_and_the_report_says_how_to_repeat_it()
    {
        CampaignOptions options = Small with
        {
            Seed = 3,
            Faults = FaultKinds.None,
            Duration = TimeSpan.FromMinutes(5),
            Bug = PlantedBug.DroppedChunk,
        };
        RunReport report = Campaign.Run(options);
        Assert.Contains(report.Broken, broken => broken.Invariant == "every byte is readable on every node");
        Assert.Equal(
            "cairn simulate --nodes 4 --hours 0.083333 --seed 3 --runs 1 --faults none --storm-minutes 15"
            + " --think-seconds 15 --fault-seconds 120 --space-mib 256",
            report.ReplayCommand);
        Assert.NotEmpty(report.Diary);
    }

    private static void AssertGood(RunReport report)
    {
        Assert.True(report.Broken.Count == 0, $"{report.ReplayCommand}\n{string.Join('\n', report.Broken)}");
        Assert.True(report.Operations > 20, $"only {report.Operations} operations");
        Assert.True(report.PromisedWrites > 5, $"only {report.PromisedWrites} promised writes");
    }
}
