using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;

namespace Cairn.Core.Tests.Log;

/// <summary>Cuts share the logs of authors of whom they say the same; what follows from two cuts is what follows log by log.</summary>
public sealed class LogPositionsTests
{
    private const int Cases = 300;

    [Fact]
    public void What_follows_from_two_cuts_follows_log_by_log()
    {
        var random = new Prng(11);
        for (int i = 0; i < Cases; i++)
        {
            LogPositions one = Some(random, LogPositions.Empty, 12);
            LogPositions other = random.Chance(2) ? Some(random, one, 2) : Some(random, LogPositions.Empty, 12);
            LogId[] all = [.. one.Logs.Concat(other.Logs).Select(log => log.Key).Distinct().Order()];
            LogPosition Lower(LogId log) => other[log].TransactionSeq < one[log].TransactionSeq ? other[log] : one[log];
            LogPosition Further(LogId log) => one[log].BlockSeq < other[log].BlockSeq ? other[log] : one[log];
            Assert.Equal(
                all.Where(log => one[log].TransactionSeq != other[log].TransactionSeq), one.DifferentFrom(other));
            Assert.Equal(Of(all, Lower), Of(all, log => one.Meet(other)[log]));
            Assert.Equal(Of(all, Further), Of(all, log => one.Join(other)[log]));
            Assert.Equal(all.All(log => one[log].TransactionSeq >= other[log].TransactionSeq), one.Covers(other));
            (LogId Log, ulong, ulong)[] beyond =
            [
                .. all.Where(log => one[log].BlockSeq > other[log].BlockSeq)
                    .Select(log => (log, other[log].BlockSeq, one[log].BlockSeq)),
            ];
            Assert.Equal(beyond, one.Beyond(other));
            Assert.Equal(beyond.Sum(log => (long)(log.Item3 - log.Item2)), one.BlocksBeyond(other));
            Assert.Equal(one.Logs.SequenceEqual(other.Logs), one.Equals(other));
            Assert.Equal(Enumerable.Range(0, one.Logs.Count).Select(at => one.Logs[at]), one.Logs);
        }
    }

    [Fact]
    public void A_cut_is_read_as_it_is_whatever_was_known_before()
    {
        var random = new Prng(12);
        for (int i = 0; i < Cases; i++)
        {
            LogPositions known = Some(random, LogPositions.Empty, 12);
            LogPositions alsoKnown = Some(random, known, 3);
            LogPositions said = Some(random, random.Chance(2) ? known : alsoKnown, random.Next(3));
            byte[] bytes = Encoded(said);
            var plain = new WireReader(bytes);
            var reader = new WireReader(bytes);
            LogPositions read = LogPositions.Decode(ref reader, known, alsoKnown);
            Assert.True(reader.Complete);
            Assert.Equal(said, read);
            Assert.Equal(said, LogPositions.Decode(ref plain));
            Assert.Equal(bytes, Encoded(read));

            // The same bytes are good, or not, whatever was known.
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            plain = new WireReader(bytes);
            reader = new WireReader(bytes);
            LogPositions damaged = LogPositions.Decode(ref plain);
            Assert.Equal(damaged, LogPositions.Decode(ref reader, known, alsoKnown));
            Assert.Equal(plain.Complete, reader.Complete);
        }
    }

    [Fact]
    public void A_word_is_what_is_held_and_seen_log_by_log()
    {
        var random = new Prng(13);
        NodeId self = Author(1);
        for (int i = 0; i < Cases; i++)
        {
            LogPositions held = Some(random, LogPositions.Empty, 12);
            LogPositions folded = Some(random, held, 4);
            LogPositions vouched = random.Chance(2) ? folded : Some(random, folded, 4);
            LogPositions word = StabilityTracker.Word(self, held, folded, vouched);
            foreach (LogId log in held.Logs.Concat(folded.Logs).Select(log => log.Key).Distinct())
            {
                ulong last = log.Author != self ? Math.Min(vouched[log].TransactionSeq, held[log].TransactionSeq)
                    : Math.Max(folded[log].TransactionSeq, held[log].TransactionSeq);
                Assert.Equal(new LogPosition(held[log].BlockSeq, last), word[log]);
            }
        }
    }

    private static LogPositions Some(Prng random, LogPositions like, int changes)
    {
        for (int i = 0; i < changes; i++)
        {
            LogId log = new(Author(random.Next(4)), (uint)random.Next(5));
            like = like.With(log, new LogPosition((ulong)random.Next(4), 1 + (ulong)random.Next(300)));
        }

        return like;
    }

    private static NodeId Author(int number)
    {
        byte[] id = new byte[NodeId.Size];
        id[^1] = (byte)number;
        return new NodeId(id);
    }

    private static IEnumerable<LogPosition> Of(LogId[] logs, Func<LogId, LogPosition> position) =>
        logs.Select(position);

    private static byte[] Encoded(LogPositions positions)
    {
        var output = new ArrayBufferWriter<byte>();
        positions.Encode(new WireWriter(output));
        return output.WrittenSpan.ToArray();
    }
}
