using Cairn.Core.Fold;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Fold;

/// <summary>Checkpoints at marks of the order, made by each member of its own fold.</summary>
public sealed class TableAtCutTests
{
    private const ulong Step = 8;

    [Fact]
    public void All_members_have_the_same_records_at_every_mark_and_a_newcomer_goes_on_from_each()
    {
        int compared = 0;
        for (ulong seed = 1; seed <= 60; seed++)
        {
            compared += Run(seed);
        }

        Assert.True(compared > 200, $"only {compared} checkpoints were compared");
    }

    /// <returns>How many checkpoints all three made.</returns>
    private static int Run(ulong seed)
    {
        var random = new Prng(seed);
        Replica[] replicas = [.. Enumerable.Range(1, 3).Select(n => new Replica((byte)n, seed))];
        Keeper[] keepers = [.. replicas.Select(replica => new Keeper(replica, replicas))];
        var contents = new Dictionary<string, byte>();
        for (int step = 0; step < 150; step++)
        {
            int at = random.Next(3);
            if (random.Chance(3))
            {
                keepers[at].Hear(replicas[random.Next(3)]);
            }

            new RandomEdits(replicas[at], random, contents).Next(step);
            keepers[random.Next(3)].Prune();
        }

        Replica.Sync(replicas);
        for (int round = 0; round < 2; round++)
        {
            foreach (Keeper keeper in keepers)
            {
                Array.ForEach(replicas, keeper.Hear);
                keeper.Prune();
            }
        }

        int compared = 0;
        foreach ((ulong mark, List<KeyValuePair<byte[], byte[]>>? records) in keepers[0].Made)
        {
            Assert.All(keepers, keeper => Assert.Equal(Text(records), Text(keeper.Made[mark])));
            if (records is not null)
            {
                compared++;
                Assert.Equal(replicas[0].State(), Newcomer(records, replicas));
            }
        }

        return compared;
    }

    [Fact]
    public void What_is_held_of_former_values_has_a_bound()
    {
        var replica = new Replica(1);
        replica.Create("first", "content");
        replica.Fold.Prune(replica.Fold.Positions);
        for (int i = 0; i < 20; i++)
        {
            replica.Create($"{i}", "content");
        }

        replica.Unlink("first");
        replica.Fold.Save();
        Assert.Equal(2UL, TableAtCut.Of(replica.Fold.Table)!.Depth);
        Assert.Equal(
            Text([.. TableAtCut.Of(replica.Fold.Table)!.Records([])]),
            Text([.. TableAtCut.Of(replica.Fold.Table, undoBytesMax: 50)!.Records([])]));
    }

    [Fact]
    public void A_fold_is_not_pruned_to_where_something_may_still_come()
    {
        var a = new Replica(1);
        var b = new Replica(2);
        a.Create("1");
        a.Create("2");
        LogPositions both = a.Fold.Positions;
        b.Receive(a);
        a.Create("3");
        b.Create("3 of b");
        a.Receive(b);
        Assert.False(a.Fold.PruneTo(3, both));
        Assert.False(a.Fold.PruneTo(4, a.Fold.Positions));
        Assert.True(a.Fold.PruneTo(2, both));
        Assert.False(a.Fold.PruneTo(2, a.Fold.Positions.Meet(LogPositions.Empty)));
        Assert.True(a.Fold.PruneTo(3, a.Fold.Positions));
        Assert.Equal(2UL, a.Fold.StableOrder.Depth);
        Assert.Equal(3UL, a.Fold.DepthOf(a.Fold.Positions));
    }

    [Fact]
    public void A_cut_within_a_depth_is_no_checkpoint()
    {
        var a = new Replica(1);
        var b = new Replica(2);
        a.Create("1");
        b.Create("1 of b");
        a.Receive(b);
        a.Fold.Prune(a.Fold.Positions.Meet(LogPositions.From([new(a.Log, new LogPosition(0, 1))])));
        a.Fold.Save();
        Assert.Null(TableAtCut.Of(a.Fold.Table));
        Assert.Null(TableAtCut.Of(new MemoryTable()));
    }

    [Fact]
    public void A_chain_can_be_gone_on_with_at_any_record()
    {
        var whole = new RecordChain();
        whole.Add([1], [2, 3]);
        var rest = new RecordChain(whole.Hash, whole.Count);
        whole.Add([4], []);
        rest.Add([4], []);
        Assert.Equal(whole.Hash, rest.Hash);
        Assert.Equal(2UL, rest.Count);
        var other = new RecordChain();
        other.Add([1, 2], [3]);
        other.Add([4], []);
        Assert.NotEqual(whole.Hash, other.Hash);
        Assert.Equal("794e5374d72d44cd", whole.Hash.ToString()[..16]);
    }

    private static string Text(IReadOnlyList<KeyValuePair<byte[], byte[]>>? records) => records is null
        ? "none"
        : string.Join(
            '\n', records.Select(record => $"{Convert.ToHexString(record.Key)}={Convert.ToHexString(record.Value)}"));

    private static byte[] Newcomer(List<KeyValuePair<byte[], byte[]>> records, Replica[] replicas)
    {
        var newcomer = new Replica(9);
        foreach ((byte[] key, byte[] value) in records)
        {
            newcomer.Fold.Table.Put(key, value);
        }

        TableAtCut.NoteWitnesses(newcomer.Fold.Table, replicas.Select(replica => replica.Log.Author));
        var fold = new OrderedFold(newcomer.Fold.Table, new TreeApplier());
        Assert.Empty(fold.Receive([.. replicas.SelectMany(replica => replica.Written)]).BelowCut);
        Assert.Equal(0, fold.WaitingCount);
        return newcomer.State();
    }

    /// <summary>Prunes a member's fold by what others said, and takes the records at each mark.</summary>
    private sealed class Keeper(Replica replica, Replica[] all)
    {
        private readonly StabilityTracker _tracker = new();

        /// <summary>By mark; null for one that was passed, because something behind it is about what lies before.</summary>
        public SortedDictionary<ulong, List<KeyValuePair<byte[], byte[]>>?> Made { get; } = [];

        public void Hear(Replica other)
        {
            replica.Receive(other);
            _tracker.Said(other.Log.Author, other.Fold.Positions);
        }

        public void Prune()
        {
            LogPositions stable = _tracker.Stable(
                all.Select(member => member.Log.Author), replica.Log.Author, replica.Fold.Positions);
            for (ulong mark = Next; replica.Fold.PruneTo(mark, stable); mark = Next)
            {
                replica.Fold.Save();
                Made[mark] = [.. TableAtCut.Of(replica.Fold.Table)!.Records([])];
            }

            replica.Fold.Prune(stable);
            for (ulong mark = Next; mark <= replica.Fold.StableOrder.Depth; mark = Next)
            {
                Made[mark] = null;
            }
        }

        private ulong Next => Step * ((ulong)Made.Count + 1);
    }
}
