using System.Text;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Fold;

/// <summary>What was written again and comes back counts once, in whatever order it arrives.</summary>
public sealed class RepetitionsTests
{
    private static readonly LogId Lost = Log(1, 1);
    private static readonly LogId Later = Log(1, 2);
    private static readonly LogId Other = Log(2, 1);

    /// <summary>The original comes before what repeats it, and what builds on the one or the other lies between.</summary>
    [Fact]
    public void The_original_counts_where_it_comes_first() => AssertEveryArrival(
        "lost built x y on-again",
        Says(Lost, 1, "lost"), Says(Other, 1, "built", new TransactionId(Lost, 1)),
        Says(Log(3, 1), 1, "x", new TransactionId(Other, 1)), Says(Log(3, 1), 2, "y"),
        Again(Later, 1, Says(Lost, 1, "lost"), new TransactionId(Log(3, 1), 2)),
        Says(Log(4, 1), 1, "on-again", new TransactionId(Later, 1)));

    [Fact]
    public void What_repeats_it_counts_where_that_comes_first() => AssertEveryArrival(
        "lost on-again x y built",
        Again(Later, 1, Says(Lost, 1, "lost", new TransactionId(Log(3, 1), 2))),
        Says(Log(0, 1), 1, "on-again", new TransactionId(Later, 1)),
        Says(Log(3, 1), 1, "x", new TransactionId(Log(0, 1), 1)), Says(Log(3, 1), 2, "y"),
        Says(Lost, 1, "lost", new TransactionId(Log(3, 1), 2)),
        Says(Other, 1, "built", new TransactionId(Lost, 1)));

    /// <summary>Lost twice: the second repetition names both others.</summary>
    [Fact]
    public void Twice_repeated_it_counts_once()
    {
        Transaction original = Says(Lost, 1, "lost");
        Transaction again = Again(Later, 1, original, new TransactionId(Other, 1));
        AssertEveryArrival(
            "lost x", original, Says(Other, 1, "x"), again, Again(Log(1, 3), 1, again, new TransactionId(Other, 1)));
    }

    /// <summary>It may be refused, or set aside: then nothing but what repeats it says what it said.</summary>
    [Fact]
    public void An_original_without_effect_takes_nothing_away() => AssertEveryArrival(
        "x lost", new TransactionId(Lost, 1),
        Says(Lost, 1, "lost"), Says(Other, 1, "x", new TransactionId(Lost, 1)),
        Again(Later, 1, Says(Lost, 1, "lost"), new TransactionId(Other, 1)));

    [Fact]
    public void What_repeats_it_without_effect_takes_nothing_away() => AssertEveryArrival(
        "x lost", new TransactionId(Later, 1),
        Again(Later, 1, Says(Lost, 1, "lost", new TransactionId(Other, 1))), Says(Other, 1, "x"),
        Says(Lost, 1, "lost", new TransactionId(Other, 1)));

    /// <summary>What is fixed has no place that could be looked for any more.</summary>
    [Theory]
    [InlineData(false, "lost x")]
    [InlineData(true, "x lost")]
    public void An_original_that_is_fixed_counts_if_it_had_its_effect(bool isRefused, string expected)
    {
        var fold = new OrderedFold(new MemoryTable(), new Speech(isRefused ? new TransactionId(Lost, 1) : default));
        fold.Receive([Says(Lost, 1, "lost"), Says(Other, 1, "x", new TransactionId(Lost, 1))]);
        fold.Prune(fold.Positions);
        Assert.Equal(0, fold.TailCount);
        fold.Receive(Again(Later, 1, Says(Lost, 1, "lost"), new TransactionId(Other, 1)));
        Assert.Equal(expected, Speech.In(fold.Table));
    }

    [Fact]
    public void Nobody_repeats_for_others() => AssertEveryArrival(
        "lost lost", Says(Lost, 1, "lost"), Again(Other, 1, Says(Lost, 1, "lost"), new TransactionId(Lost, 1)));

    private static void AssertEveryArrival(string expected, params Transaction[] history) =>
        AssertEveryArrival(expected, default, history);

    private static void AssertEveryArrival(string expected, TransactionId refused, params Transaction[] history)
    {
        foreach (Transaction[] arrival in Orders(history))
        {
            var table = new MemoryTable();
            var fold = new OrderedFold(table, new Speech(refused));
            foreach (Transaction transaction in arrival)
            {
                fold.Receive(transaction);
                fold.Save();
                fold = fold.WaitingCount == 0 ? new OrderedFold(table, new Speech(refused)) : fold;
            }

            Assert.Equal(expected, Speech.In(table));
        }

        var replayed = new MemoryTable();
        OrderedReplay.Run(
            history.GroupBy(transaction => transaction.Id.Log).Select(log => log.AsEnumerable()).ToList(),
            static _ => true, new Speech(refused), replayed);
        Assert.Equal(expected, Speech.In(replayed));
    }

    private static IEnumerable<Transaction[]> Orders(Transaction[] all) => all.Length == 0
        ? [[]]
        : all.SelectMany(
            first => Orders([.. all.Where(other => other != first)]).Select(rest => WithFirst(first, rest)));

    private static Transaction[] WithFirst(Transaction first, Transaction[] rest) => [first, .. rest];

    private static Transaction Says(LogId log, ulong seq, string text, params TransactionId[] dependencies) => new(
        new TransactionId(log, seq), [.. dependencies], default, [new NameAuthor(Encoding.UTF8.GetBytes(text))]);

    private static Transaction Again(LogId log, ulong seq, Transaction said, params TransactionId[] dependencies) =>
        new(new TransactionId(log, seq), [.. dependencies], default, Repeats.Again(said));

    private static LogId Log(byte author, uint incarnation)
    {
        byte[] id = new byte[NodeId.Size];
        id[0] = author;
        return new LogId(new NodeId(id), incarnation);
    }

    /// <summary>The words of all transactions, in the order in which they count.</summary>
    /// <param name="refused">One that has no effect.</param>
    private sealed class Speech(TransactionId refused) : ITransactionApplier
    {
        private static readonly byte[] Key = [1];

        public static string In(ITreeTable table) => Encoding.UTF8.GetString(table.Get(Key) ?? []).Trim();

        public bool Apply(Transaction transaction, ITreeTable state)
        {
            if (transaction.Id == refused)
            {
                return false;
            }

            byte[] said = [.. " "u8, .. transaction.Primitives.OfType<NameAuthor>().Single().Name.Span];
            state.Put(Key, [.. state.Get(Key) ?? [], .. said]);
            return true;
        }

        public void Forget()
        {
        }
    }
}
