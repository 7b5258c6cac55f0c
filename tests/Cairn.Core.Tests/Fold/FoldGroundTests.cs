using Cairn.Core.Fold;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Fold;

/// <summary>Folds that stand on a settled checkpoint: what is not in it comes behind it, whenever it was written.</summary>
public sealed class FoldGroundTests
{
    private const ulong Mark = 24;

    /// <summary>Three write and make a checkpoint, a fourth is away, writes apart, and brings that in the end.</summary>
    [Theory]
    [InlineData(1, 40)]
    [InlineData(41, 80)]
    public void All_who_stand_on_it_have_the_same_table_in_any_order_of_arrival(ulong from, ulong to)
    {
        (int stood, int late) = (0, 0);
        for (ulong seed = from; seed <= to; seed++)
        {
            Run(seed, ref stood, ref late);
        }

        Assert.True(stood > 20, $"only {stood} checkpoints");
        Assert.True(late > 10, $"only {late} times something came that was written before it");
    }

    private static void Run(ulong seed, ref int stood, ref int late)
    {
        var random = new Prng(seed);
        Replica[] all = [.. Enumerable.Range(1, 4).Select(n => new Replica((byte)n, seed))];
        Replica[] here = all[..3];
        Replica away = all[3];
        var contents = new Dictionary<string, byte>();
        for (int step = 0; step < 160; step++)
        {
            if (step == 10)
            {
                Replica.Sync(all);
            }

            Replica writer = random.Chance(6) ? away : here[random.Next(3)];
            if (random.Chance(2) && writer != away)
            {
                writer.Receive(here[random.Next(3)]);
            }

            new RandomEdits(writer, random, contents).Next(step);
        }

        Replica.Sync(here);
        LogPositions stable = here[0].Fold.Positions;
        if (!here[0].Fold.PruneTo(Mark, stable))
        {
            return;
        }

        stood++;
        here[0].Fold.Save();
        KeyValuePair<byte[], byte[]>[] records = [.. TableAtCut.Of(here[0].Fold.Table)!.Records([])];
        Transaction[] written = [.. all.SelectMany(replica => replica.Written)];
        OrderedFold first = Begin(records);
        Assert.Empty(first.Receive(written).BelowCut);
        string state = Text(first);
        late += here[0].Fold.Receive([.. away.Written]).BelowCut.Count > 0 ? 1 : 0;
        for (int order = 0; order < 3; order++)
        {
            OrderedFold fold = Begin(records);
            Transaction[] shuffled = [.. written.OrderBy(_ => random.NextUInt64())];
            foreach (Transaction[] some in shuffled.Chunk(7))
            {
                Assert.Empty(fold.Receive(some).BelowCut);
                if (order == 2)
                {
                    fold.Save();
                    fold = new OrderedFold(fold.Table, new TreeApplier());
                    Receive(fold, shuffled);
                }
            }

            Assert.Equal(0, fold.WaitingCount);
            Assert.Equal(state, Text(fold));
        }

        AssertLikeAllHistory(written, first);
        AssertLikeWhatIsLeft(records, written, first);
        var shown = new Replica(9);
        Fill(shown.Fold.Table, first.Table);
        string listing = shown.Listing();
        Assert.All(contents, content => Assert.True(
            content.Value != 0 || listing.Contains($"={content.Key}", StringComparison.Ordinal), content.Key));
    }

    private static void Fill(ITreeTable table, ITreeTable from)
    {
        TableCursor cursor = from.Scan([], [FoldKeys.StateEnd]);
        while (cursor.MoveNext())
        {
            table.Put(cursor.Key, cursor.Value);
        }
    }

    /// <summary>Who replays everything, and knows the ground, has the same tree.</summary>
    private static void AssertLikeAllHistory(Transaction[] written, OrderedFold first)
    {
        var table = new MemoryTable();
        OrderedReplay.Run(
            [.. written.GroupBy(transaction => transaction.Id.Log)
                .Select(log => log.OrderBy(transaction => transaction.Id.Seq))],
            static _ => true, new TreeApplier(), table, first.Ground);
        Assert.Equal(Text(first), Text(table));
    }

    /// <summary>Who has the ground, and of each log only what follows, replays to the same.</summary>
    private static void AssertLikeWhatIsLeft(
        KeyValuePair<byte[], byte[]>[] records, Transaction[] written, OrderedFold first)
    {
        var table = new MemoryTable();
        foreach ((byte[] key, byte[] value) in records)
        {
            table.Put(key, value);
        }

        FoldGround ground = first.Ground!;
        OrderedReplay.Run(
            [.. written.Where(transaction => transaction.Id.Seq >= ground.Positions[transaction.Id.Log].TransactionSeq)
                .GroupBy(transaction => transaction.Id.Log)
                .Select(log => log.OrderBy(transaction => transaction.Id.Seq))],
            static _ => true, new TreeApplier(), table, ground);
        Assert.Equal(Text(first), Text(table));
    }

    [Fact]
    public void What_it_stands_on_and_continues_is_found_again()
    {
        var table = new MemoryTable();
        Assert.Null(FoldGround.In(table));
        var hash = new Bytes32([.. Enumerable.Repeat((byte)7, 32)]);
        FoldGround.NoteMark(table, 5);
        Assert.False(FoldGround.Continues(table, 5, hash));
        Assert.True(FoldGround.NoteMade(table, 5, hash));
        Assert.False(FoldGround.NoteMade(table, 6, hash));
        Assert.True(FoldGround.Continues(table, 5, hash));
        Assert.NotNull(FoldGround.ContinuedRecord(table, 5, hash));
        Assert.Null(FoldGround.ContinuedRecord(table, 6, hash));

        var log = new LogId(new NodeId([.. Enumerable.Repeat((byte)1, 32)]), 1);
        var other = new LogId(log.Author, 2);
        var fold = new OrderedFold(table, new TreeApplier());
        Assert.Null(fold.Ground);
        LogPositions positions = LogPositions.From([new(log, new LogPosition(0, 3))]);
        fold.StandOn(new FoldGround(5, hash, positions));
        Assert.False(FoldGround.Continues(table, 5, hash));
        FoldGround found = new OrderedFold(table, new TreeApplier()).Ground!;
        Assert.Equal((5UL, hash), (found.Depth, found.Hash));
        Assert.Equal(positions, found.Positions);
        LogPositions and = found.And(
            LogPositions.From([new(log, new LogPosition(0, 2)), new(other, new LogPosition(0, 9))]));
        Assert.Equal(3UL, and[log].TransactionSeq);
        Assert.Equal(9UL, and[other].TransactionSeq);
    }

    private static OrderedFold Begin(KeyValuePair<byte[], byte[]>[] records)
    {
        var table = new MemoryTable();
        foreach ((byte[] key, byte[] value) in records)
        {
            table.Put(key, value);
        }

        TableAtCut.NoteWitnesses(table, []);
        var fold = new OrderedFold(table, new TreeApplier());
        fold.StandOn(new FoldGround(Mark, default, fold.Positions));
        return fold;
    }

    /// <summary>What waited is forgotten with the fold: all of it comes again.</summary>
    private static void Receive(OrderedFold fold, Transaction[] all) => Assert.Empty(fold.Receive(all).BelowCut);

    private static string Text(OrderedFold fold) => Text(fold.Table);

    private static string Text(ITreeTable table)
    {
        var text = new System.Text.StringBuilder();
        TableCursor cursor = table.Scan([], [FoldKeys.StateEnd]);
        while (cursor.MoveNext())
        {
            text.Append(Convert.ToHexString(cursor.Key)).Append('=').AppendLine(Convert.ToHexString(cursor.Value));
        }

        return text.ToString();
    }
}
