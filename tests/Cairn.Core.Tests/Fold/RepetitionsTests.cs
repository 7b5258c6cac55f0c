using System.Text;
using Cairn.Core.Fold;
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

    /// <summary>It may have been set aside: then nothing but what repeats it says what it said.</summary>
    [Fact]
    public void An_original_that_says_something_else_takes_nothing_away() => AssertEveryArrival(
        "nothing x lost",
        Says(Lost, 1, "nothing"), Says(Other, 1, "x", new TransactionId(Lost, 1)),
        Again(Later, 1, Says(Lost, 1, "lost"), new TransactionId(Other, 1)));

    [Fact]
    public void Nobody_repeats_for_others() => AssertEveryArrival(
        "lost lost", Says(Lost, 1, "lost"), Again(Other, 1, Says(Lost, 1, "lost"), new TransactionId(Lost, 1)));

    private static void AssertEveryArrival(string expected, params Transaction[] history)
    {
        foreach (Transaction[] arrival in Orders(history))
        {
            var table = new MemoryTable();
            var fold = new OrderedFold(table, new Speech());
            foreach (Transaction transaction in arrival)
            {
                fold.Receive(transaction);
                fold.Save();
                fold = fold.WaitingCount == 0 ? new OrderedFold(table, new Speech()) : fold;
            }

            Assert.Equal(expected, Speech.In(table));
        }

        var replayed = new MemoryTable();
        OrderedReplay.Run(
            history.GroupBy(transaction => transaction.Id.Log).Select(log => log.AsEnumerable()).ToList(),
            static _ => true, new Speech(), replayed);
        Assert.True(
            Speech.In(replayed) == expected || expected.StartsWith("nothing", StringComparison.Ordinal),
            Speech.In(replayed));
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
    private sealed class Speech : ITransactionApplier
    {
        private static readonly byte[] Key = [1];

        public static string In(MemoryTable table) => Encoding.UTF8.GetString(table.Get(Key) ?? []).Trim();

        public void Apply(Transaction transaction, ITreeTable state) => state.Put(
            Key,
            [
                .. state.Get(Key) ?? [], .. " "u8,
                .. transaction.Primitives.OfType<NameAuthor>().Single().Name.Span,
            ]);

        public void Forget()
        {
        }
    }
}
