using System.Buffers;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Fold;

/// <summary>The order, the waiting, the undoing: with an applier whose result shows the order itself.</summary>
public sealed class OrderedFoldTests
{
    [Fact]
    public void Every_order_of_arrival_gives_the_same_state()
    {
        for (ulong seed = 1; seed <= 200; seed++)
        {
            var random = new Prng(seed);
            List<Transaction> history = History(random, members: 2 + random.Next(4), steps: 40);
            byte[] expected = State(Folded(history));
            for (int run = 0; run < 3; run++)
            {
                Transaction[] shuffled = [.. history];
                Shuffle(random, shuffled);
                var fold = new OrderedFold(new MemoryTable(), new OrderWitness());
                for (int i = 0; i < shuffled.Length;)
                {
                    int batch = Math.Min(1 + random.Next(5), shuffled.Length - i);
                    fold.Receive(new ArraySegment<Transaction>(shuffled, i, batch));
                    i += batch;
                }

                Assert.Equal(0, fold.WaitingCount);
                Assert.Equal(expected, State(fold));
            }
        }
    }

    [Fact]
    public void What_may_mean_something_else_now_is_applied_again_as_far_as_it_can_be_undone()
    {
        List<Transaction> history = History(new Prng(7), members: 3, steps: 40);
        OrderedFold fold = Folded(history);
        byte[] before = State(fold);
        LogPositions all = fold.Positions;
        Assert.Equal(0, fold.Again(all)!.Undone);
        Assert.Equal(history.Count, fold.Again(LogPositions.Empty)!.Undone);
        LogPositions half = LogPositions.From(all.Logs.Select(log => KeyValuePair.Create(
            log.Key, new LogPosition(0, log.Value.TransactionSeq / 2))));
        Assert.InRange(fold.Again(half)!.Undone, 1, history.Count - 1);
        fold.Prune(half);
        Assert.Null(fold.Again(LogPositions.Empty));
        Assert.NotNull(fold.Again(half));
        Assert.Equal(before, State(fold));
    }

    [Fact]
    public void Who_read_in_the_table_sees_that_it_was_replaced()
    {
        OrderedFold fold = Folded(History(new Prng(7), members: 3, steps: 40));
        Assert.Equal(0, fold.ReloadCount);
        fold.Prune(fold.Positions);
        fold.Save();
        Assert.Equal(0, fold.ReloadCount);
        fold.Reload();
        Assert.Equal(1, fold.ReloadCount);
        fold.Reset();
        Assert.Equal(2, fold.ReloadCount);
    }

    [Fact]
    public void A_fold_continues_from_its_table()
    {
        for (ulong seed = 1; seed <= 50; seed++)
        {
            var random = new Prng(seed);
            List<Transaction> history = History(random, members: 3, steps: 60);
            Transaction[] shuffled = [.. history];
            Shuffle(random, shuffled);
            var table = new MemoryTable();
            var fold = new OrderedFold(table, new OrderWitness());
            foreach (Transaction transaction in shuffled)
            {
                fold.Receive(transaction);
                if (random.Chance(10))
                {
                    List<TransactionId> missing = [.. fold.Missing];
                    fold.Save();
                    fold = new OrderedFold(table, new OrderWitness());
                    fold.Receive(shuffled);
                    Assert.True(missing.Count >= 0);
                }
            }

            Assert.Equal(State(Folded(history)), State(fold));
        }
    }

    [Fact]
    public void What_is_stable_is_forgotten_and_what_belongs_before_it_is_refused()
    {
        var random = new Prng(5);
        List<Transaction> history = History(random, members: 3, steps: 50);
        OrderedFold fold = Folded(history);
        fold.Prune(fold.Positions);
        Assert.Equal(0, fold.TailCount);
        var stranger = new Transaction(
            new TransactionId(new LogId(Author(9), 1), 1), [], default, [new NameAuthor(new byte[] { 1 })]);
        FoldReport report = fold.Receive(stranger);
        Assert.Equal([stranger.Id], report.BelowCut);
        Transaction next = fold.Author(new LogId(Author(9), 1), default, [new NameAuthor(new byte[] { 2 })]);
        Assert.Equal(1, fold.Receive(next).Applied);
    }

    [Fact]
    public void A_long_tail_lives_in_the_table_and_is_recalled_when_something_is_late()
    {
        var a = new LogId(Author(1), 1);
        var b = new LogId(Author(2), 1);
        var index = new MemoryTable();
        var table = new OverlayTable(index, cacheBytesMax: 1 << 20);
        var fold = new OrderedFold(table, new OrderWitness());
        var all = new List<Transaction>();
        for (int i = 0; i < 10_000; i++)
        {
            all.Add(fold.Author(a, default, [new NameAuthor(new[] { (byte)(i % 7) })]));
            fold.ApplyLocal(all[^1]);
            if (i % 1000 == 999)
            {
                fold.Save();
                foreach ((TableBytes key, TableBytes value) in table.TakeChanges())
                {
                    index.Put(key.Span, value.AsArray());
                }

                table.ChangesPersisted();
            }
        }

        fold = new OrderedFold(new OverlayTable(index, cacheBytesMax: 0), new OrderWitness());
        Assert.Equal(10_000, fold.TailCount);
        all.Add(new Transaction(
            new TransactionId(b, 1), [new TransactionId(a, 9_000)], default, [new NameAuthor(new byte[] { 1 })]));
        all.Add(new Transaction(
            new TransactionId(b, 2), [new TransactionId(a, 9_500)], default, [new NameAuthor(new byte[] { 2 })]));
        Assert.Equal(999, fold.Receive(all[^2]).Undone);
        fold.Save();
        Assert.Equal(499, fold.Receive(all[^1]).Undone);
        Assert.Equal(State(Folded(all)), State(fold));
        fold.Save();
        fold.Prune(LogPositions.From([new(a, new LogPosition(0, 9_990)), new(b, new LogPosition(0, 2))]));
        Assert.Equal(10, fold.TailCount);
        fold.Save();
        Assert.Equal(10, new OrderedFold(fold.Table as ITreeTable, new OrderWitness()).TailCount);
    }

    [Fact]
    public void A_tail_that_is_saved_again_and_again_takes_few_records()
    {
        var log = new LogId(Author(1), 1);
        var table = new MemoryTable();
        var fold = new OrderedFold(table, new OrderWitness());
        var all = new List<Transaction>();
        for (int i = 0; i < 300; i++)
        {
            all.Add(fold.Author(log, default, [new NameAuthor(new[] { (byte)(i % 7) })]));
            fold.ApplyLocal(all[^1]);
            fold.Save();
        }

        Assert.InRange(Records(table, 'B'), 1, 20);
        fold = new OrderedFold(table, new OrderWitness());
        Assert.Equal(300, fold.TailCount);
        all.Add(new Transaction(
            new TransactionId(new LogId(Author(2), 1), 1), [], default, [new NameAuthor(new byte[] { 1 })]));
        Assert.Equal(299, fold.Receive(all[^1]).Undone);
        Assert.Equal(State(Folded(all)), State(fold));
        fold.Prune(fold.Positions);
        fold.Save();
        Assert.Equal(0, Records(table, 'B'));
    }

    [Fact]
    public void A_tail_as_the_first_programs_wrote_it_is_read_and_written_anew()
    {
        var log = new LogId(Author(1), 1);
        var table = new MemoryTable();
        var fold = new OrderedFold(table, new OrderWitness());
        var all = new List<Transaction>();
        var old = new List<(byte[] Key, byte[] Record)>();
        for (int i = 0; i < 3; i++)
        {
            all.Add(fold.Author(log, default, [new NameAuthor(new[] { (byte)i })]));
            old.Add(OneTransactionARecord(table, all[^1], depth: i + 1));
            fold.ApplyLocal(all[^1]);
        }

        // Everything but the tail is as it was; it had a record a transaction.
        fold.Save();
        TableCursor cursor = table.Scan([FoldKeys.Reserved, (byte)'B'], [FoldKeys.Reserved, (byte)'C']);
        while (cursor.MoveNext())
        {
            table.Put(cursor.Key, null);
        }

        old.ForEach(record => table.Put(record.Key, record.Record));
        fold = new OrderedFold(table, new OrderWitness());
        Assert.Equal(3, fold.TailCount);
        fold.Save();
        Assert.Equal((0, 1), (Records(table, 'T'), Records(table, 'B')));
        fold = new OrderedFold(table, new OrderWitness());
        all.Add(new Transaction(
            new TransactionId(new LogId(Author(2), 1), 1), [], default, [new NameAuthor(new byte[] { 1 })]));
        Assert.Equal(2, fold.Receive(all[^1]).Undone);
        Assert.Equal(State(Folded(all)), State(fold));
    }

    [Fact]
    public void A_fold_that_refused_something_is_rebuilt_with_it()
    {
        List<Transaction> history = History(new Prng(6), members: 3, steps: 50);
        OrderedFold fold = Folded(history);
        fold.Prune(fold.Positions);
        fold.Save();
        history.Add(new Transaction(
            new TransactionId(new LogId(Author(9), 1), 1), [], default, [new NameAuthor(new byte[] { 1 })]));
        Assert.Single(fold.Receive(history).BelowCut);
        fold.Reset();
        Assert.False(fold.Table.Scan([], []).MoveNext());
        Assert.Empty(fold.Receive(history).BelowCut);
        Assert.Equal(State(Folded(history)), State(fold));
    }

    [Fact]
    public void The_order_is_by_depth_then_author_then_incarnation_then_seq()
    {
        TransactionOrder At(ulong depth, byte author, uint incarnation, ulong seq) =>
            new(depth, new TransactionId(new LogId(Author(author), incarnation), seq));
        TransactionOrder[] ordered =
            [default, At(1, 2, 1, 1), At(1, 2, 1, 2), At(1, 2, 2, 1), At(1, 3, 1, 1), At(2, 1, 1, 1), At(256, 1, 1, 1)];
        Assert.Equal(ordered, ordered.Reverse().Order());
        Assert.True(ordered[0] < ordered[1] && ordered[2] > ordered[1] && ordered[1] <= ordered[1]);
    }

    [Fact]
    public void Alone_nothing_is_kept()
    {
        var fold = new OrderedFold(new MemoryTable(), new OrderWitness()) { Alone = true };
        for (int i = 0; i < 100; i++)
        {
            fold.ApplyLocal(fold.Author(new LogId(Author(1), 1), default, [new NameAuthor(new byte[] { (byte)i })]));
        }

        Assert.Equal(0, fold.TailCount);
        Assert.Equal(100UL, fold.LastOf(new LogId(Author(1), 1)));
        Assert.Single(fold.Heads);
    }

    [Fact]
    public void Changed_keys_are_those_whose_value_differs()
    {
        var fold = new OrderedFold(new MemoryTable(), new OrderWitness());
        FoldReport first = fold.Receive(new Transaction(
            new TransactionId(new LogId(Author(2), 1), 1), [], default, [new NameAuthor(new byte[] { 7 })]));
        Assert.Equal(2, first.ChangedKeys.Count);
        FoldReport again = fold.Receive(new Transaction(
            new TransactionId(new LogId(Author(2), 1), 1), [], default, [new NameAuthor(new byte[] { 7 })]));
        Assert.Equal(0, again.Applied);
        Assert.Empty(again.ChangedKeys);
    }

    private static NodeId Author(byte n)
    {
        byte[] bytes = new byte[NodeId.Size];
        bytes[0] = n;
        return new NodeId(bytes);
    }

    private static List<Transaction> History(Prng random, int members, int steps)
    {
        var folds = new OrderedFold[members];
        for (int i = 0; i < members; i++)
        {
            folds[i] = new OrderedFold(new MemoryTable(), new OrderWitness());
        }

        var all = new List<Transaction>();
        for (int step = 0; step < steps; step++)
        {
            int at = random.Next(members);
            if (random.Chance(3))
            {
                int count = random.Next(all.Count + 1);
                folds[at].Receive(all.GetRange(0, count));
            }

            Transaction made = folds[at].Author(
                new LogId(Author((byte)(at + 1)), 1), default, [new NameAuthor(new[] { (byte)random.Next(4) })]);
            folds[at].ApplyLocal(made);
            all.Add(made);
        }

        return all;
    }

    /// <summary>'T', place; the transaction, the number of keys it writes, each with its value before.</summary>
    private static (byte[] Key, byte[] Record) OneTransactionARecord(
        MemoryTable state, Transaction transaction, int depth)
    {
        var recorder = new Recorder(state);
        new OrderWitness().Apply(transaction, recorder);
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        writer.LengthPrefixed(TransactionCodec.Encode(transaction));
        writer.Count(recorder.Images.Count);
        foreach ((byte[] key, byte[]? before) in recorder.Images)
        {
            writer.LengthPrefixed(key);
            writer.Boolean(before is not null);
            if (before is not null)
            {
                writer.LengthPrefixed(before);
            }
        }

        byte[] place = new byte[54];
        (place[0], place[1], place[9]) = (FoldKeys.Reserved, (byte)'T', (byte)depth);
        transaction.Id.Log.Author.Value.CopyTo(place.AsSpan(10));
        (place[45], place[53]) = ((byte)transaction.Id.Log.Incarnation, (byte)transaction.Id.Seq);
        return (place, output.WrittenSpan.ToArray());
    }

    private static int Records(MemoryTable table, char tag)
    {
        int count = 0;
        for (TableCursor cursor = table.Scan([FoldKeys.Reserved, (byte)tag], [FoldKeys.Reserved, (byte)(tag + 1)]);
            cursor.MoveNext();)
        {
            count++;
        }

        return count;
    }

    private static OrderedFold Folded(List<Transaction> history)
    {
        var fold = new OrderedFold(new MemoryTable(), new OrderWitness());
        fold.Receive(history);
        return fold;
    }

    private static byte[] State(OrderedFold fold)
    {
        var bytes = new List<byte>();
        TableCursor cursor = fold.Table.Scan([], [FoldKeys.Reserved]);
        while (cursor.MoveNext())
        {
            bytes.AddRange(cursor.Key);
            bytes.AddRange(cursor.Value);
        }

        return [.. bytes];
    }

    private static void Shuffle(Prng random, Transaction[] items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>Writes nothing below; remembers what was there.</summary>
    private sealed class Recorder(MemoryTable below) : ITreeTable
    {
        private readonly OverlayTable _above = new(below, 0, 0);

        public List<(byte[] Key, byte[]? Before)> Images { get; } = [];

        public TableBytes Find(ReadOnlySpan<byte> key) => _above.Find(key);

        public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => _above.Scan(from, to);

        public TableWrite Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Note(_above.Set(key, value));

        public TableWrite Remove(ReadOnlySpan<byte> key) => Note(_above.Remove(key));

        private TableWrite Note(TableWrite write)
        {
            if (write.Key.AsArray() is { } key)
            {
                Images.Add((key, write.Before.AsArray()));
            }

            return write;
        }
    }

    /// <summary>Appends every transaction to a list under its name, and removes other names now and then.</summary>
    private sealed class OrderWitness : ITransactionApplier
    {
        public bool Apply(Transaction transaction, ITreeTable state)
        {
            byte[] name = [1, .. ((NameAuthor)transaction.Primitives[0]).Name.Span];
            byte[] before = state.Get(name) ?? [];
            state.Put(name, [.. before, transaction.Id.Log.Author.Value.ToArray()[0], (byte)transaction.Id.Seq]);
            state.Put([1, (byte)(name[1] ^ 1)], transaction.Id.Seq % 5 == 0 ? null
                : state.Get([1, (byte)(name[1] ^ 1)]));
            state.Put([0], [.. state.Get([0]) ?? [], transaction.Id.Log.Author.Value.ToArray()[0]]);
            return true;
        }

        public void Forget()
        {
        }
    }
}
