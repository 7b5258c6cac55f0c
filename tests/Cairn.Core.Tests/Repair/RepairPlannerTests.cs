using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Core.Tests.Placement;

namespace Cairn.Core.Tests.Repair;

public sealed class RepairPlannerTests
{
    private static PlacementTable Table(int count, params int[] without) =>
        PlacementKit.Table([.. PlacementKit.Equal(count).Where((_, i) => !without.Contains(i))], 3);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_lost_node_is_made_up_for_and_nothing_else_moves(ulong seed)
    {
        RepairPool pool = new(6, seed);
        pool.UseTable(Table(6));
        List<RecordKey> keys = pool.Write(300);
        Assert.Equal(0, pool.Round());
        int onLost = pool[2].Count;
        pool.Offline.Add(PlacementKit.Node(2));
        pool[2].Clear();
        pool.UseTable(Table(6, without: 2));
        for (int round = 0; round < 5; round++)
        {
            pool.Round();
        }

        Assert.True(pool.IsWhole(keys));
        Assert.Equal(onLost, pool.Fetched);
    }

    [Fact]
    public void A_node_that_was_away_fetches_only_what_it_missed()
    {
        RepairPool pool = new(5, 4);
        pool.UseTable(Table(5));
        List<RecordKey> keys = pool.Write(200);
        List<RecordKey> missed = [.. pool[1].Take(20)];
        pool[1].ExceptWith(missed);
        for (int round = 0; round < 5; round++)
        {
            pool.Round();
        }

        Assert.True(pool.IsWhole(keys));
        Assert.Equal(20, pool.Fetched);
        Assert.Equal(0, pool.Round());
    }

    [Fact]
    public void Copies_that_only_a_stray_node_has_reach_their_holders()
    {
        RepairPool pool = new(6, 5);
        pool.UseTable(Table(6));
        List<RecordKey> keys = [.. Enumerable.Range(0, 50).Select(_ => pool.NewKey())];
        pool[3].UnionWith(keys);
        for (int round = 0; round < 5; round++)
        {
            pool.Round();
        }

        Assert.True(pool.IsWhole(keys));
    }

    [Fact]
    public void With_the_brake_on_only_last_copies_are_remade()
    {
        RepairPool pool = new(8, 6);
        pool.UseTable(Table(8));
        List<RecordKey> keys = pool.Write(400);
        foreach (int gone in new[] { 0, 1, 2 })
        {
            pool.Offline.Add(PlacementKit.Node(gone));
            pool[gone].Clear();
        }

        pool.UseTable(Table(8, without: [0, 1, 2]));
        List<RecordKey> single = [.. keys.Where(key => pool.CopiesOf(key) == 1)];
        List<RecordKey> several = [.. keys.Where(key => pool.CopiesOf(key) == 2)];
        Assert.NotEmpty(single);
        Assert.NotEmpty(several);
        for (int round = 0; round < 4; round++)
        {
            pool.Round(onlySingle: true);
        }

        Assert.All(single, key => Assert.True(pool.CopiesOf(key) >= 2));
        Assert.All(several, key => Assert.Equal(2, pool.CopiesOf(key)));
        for (int round = 0; round < 4; round++)
        {
            pool.Round();
        }

        Assert.True(pool.IsWhole(keys.Where(key => pool.CopiesOf(key) > 0)));
    }

    [Fact]
    public void A_stand_in_for_a_full_node_takes_only_what_the_full_one_lacks()
    {
        List<PlacementNode> nodes = PlacementKit.Equal(5);
        RepairPool pool = new(5, 7);
        pool.UseTable(PlacementKit.Table(nodes, 3));
        List<RecordKey> old = pool.Write(200);
        pool.UseTable(PlacementKit.Table([nodes[0] with { IsFull = true }, .. nodes.Skip(1)], 3));
        Assert.Equal(0, pool.Round());
        List<RecordKey> fresh = [.. Enumerable.Range(0, 100).Select(_ => pool.NewKey())];
        foreach (RecordKey key in fresh)
        {
            foreach (NodeId holder in pool.Table.Holders(key.Partition))
            {
                int node = Enumerable.Range(1, 4).FirstOrDefault(i => PlacementKit.Node(i) == holder);
                _ = node != 0 && pool[node].Add(key);
            }
        }

        pool.Round();
        pool.Round();
        Assert.DoesNotContain(fresh, pool[0].Contains);
        Assert.All(old, key => Assert.Equal(3, pool.CopiesOf(key)));
        Assert.All(fresh, key => Assert.Equal(3, pool.CopiesOf(key)));
    }

    [Fact]
    public void Lists_that_nobody_asked_for_or_that_lie_are_harmless()
    {
        RepairPlanner planner = new(PlacementKit.Node(0), onItsWayMs: 0);
        PlacementTable table = Table(6);
        planner.UseTable(table);
        RecordKey elsewhere = Keys().First(key => !table.IsHolder(key.Partition, PlacementKit.Node(0)));
        RecordKey here = Keys().First(key => table.IsHolder(key.Partition, PlacementKit.Node(0)));
        planner.TakeList(PlacementKit.Node(1), elsewhere.Partition, [elsewhere, here], _ => false, 0);
        Assert.Equal(0, planner.WantedCount);
        planner.TakeList(PlacementKit.Node(1), here.Partition, [here, elsewhere, here], _ => false, 0);
        Assert.Equal(1, planner.WantedCount);
        planner.Failed(elsewhere, PlacementKit.Node(1));
        planner.Done(elsewhere);
        Assert.Single(planner.NextPulls(10, false, _ => true, 0));
        Assert.Empty(planner.NextPulls(10, false, _ => true, 0));
        planner.Failed(here, PlacementKit.Node(1));
        Assert.Empty(planner.NextPulls(10, false, _ => true, 0));
        planner.TakeList(PlacementKit.Node(2), here.Partition, [here], _ => false, 0);
        Assert.Equal([PlacementKit.Node(2)], planner.NextPulls(10, false, _ => true, 0)[0].Sources);
    }

    [Fact]
    public void What_is_missing_since_a_moment_is_left_to_its_writer()
    {
        RepairPlanner planner = new(PlacementKit.Node(0), onItsWayMs: 3000);
        PlacementTable table = Table(6);
        planner.UseTable(table);
        RecordKey[] here = [.. Keys().Where(key => table.IsHolder(key.Partition, PlacementKit.Node(0))).Take(2)];
        planner.TakeList(PlacementKit.Node(1), here[0].Partition, [here[0]], _ => false, nowMs: 1000);
        Assert.Empty(planner.NextPulls(10, false, _ => true, nowMs: 3999));
        Assert.Equal(4000, planner.NextReadyMs(3999));

        // A new round hears of it again and remembers since when; what came meanwhile is forgotten.
        planner.StartRound();
        planner.TakeList(PlacementKit.Node(1), here[0].Partition, [here[0]], _ => false, nowMs: 4000);
        planner.TakeList(PlacementKit.Node(1), here[1].Partition, [here[1]], _ => false, nowMs: 4000);
        Assert.Equal(here[0], Assert.Single(planner.NextPulls(10, false, _ => true, nowMs: 4000)).Key);
        Assert.Equal(7000, planner.NextReadyMs(4000));
        planner.StartRound();
        planner.StartRound();
        planner.TakeList(PlacementKit.Node(1), here[1].Partition, [here[1]], _ => false, nowMs: 9000);
        Assert.Empty(planner.NextPulls(10, false, _ => true, nowMs: 9000));
    }

    private static IEnumerable<RecordKey> Keys()
    {
        RepairPool source = new(1, 99);
        return Enumerable.Range(0, 1000).Select(_ => source.NewKey());
    }
}
