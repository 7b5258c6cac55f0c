using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tests.Tree;

namespace Cairn.Core.Tests.Rights;

/// <summary>What is kept of the words about a snapshot judges as all of them would, and does not grow with logs that have ended.</summary>
public sealed class HoldsLengthTests
{
    private static readonly Bytes16 Snapshot = new(Enumerable.Repeat((byte)5, Bytes16.Size).ToArray());

    [Fact]
    public void What_is_left_out_changes_no_judgement() => Seeds.Run(500, seed =>
    {
        var random = new Prng(seed);
        LogId[] logs = [.. Enumerable.Range(1, 4).Select(n => LogOf((byte)n))];
        List<SnapshotHold> words = [];
        LogPositions seen = LogPositions.Empty;
        for (int word = random.Next(6); word >= 0; word--)
        {
            foreach (LogId log in logs.Where(_ => random.Chance(3)))
            {
                // Admins need not have seen more than those before them.
                ulong to = (ulong)random.Next(6);
                seen = seen.With(log, new LogPosition(to, to));
            }

            words.Add(new SnapshotHold(Snapshot, new VolumeId(new byte[16]), random.Chance(2), seen));
        }

        SnapshotHolds holds = SnapshotHolds.Of(words);
        for (ulong seq = 1; seq <= 7; seq++)
        {
            foreach (LogId log in logs)
            {
                var removal = new TransactionId(log, seq);
                SnapshotHold? last = words.LastOrDefault(word => !word.Seen.Contains(removal));
                Assert.Equal(last?.IsHeld ?? false, holds.Refuse(Snapshot, removal));
            }
        }

        Assert.Equal(words[^1].IsHeld, holds.IsHeld(Snapshot));
    });

    [Fact]
    public void Logs_that_nobody_writes_any_more_leave_no_trace_of_a_clone_that_is_gone()
    {
        LogPositions seen = LogPositions.Empty;
        for (byte log = 1; log < 200; log++)
        {
            seen = seen.With(LogOf(log), new LogPosition(3, 3));
        }

        var hold = new SnapshotHold(Snapshot, new VolumeId(new byte[16]), IsHeld: true, seen);
        LogPositions later = seen.With(LogOf(7), new LogPosition(4, 9));
        var free = hold with { IsHeld = false, Seen = later };
        Assert.True(new WriteRights([]) { Holds = SnapshotHolds.Of([hold]) }.Encode().Length > 5000);
        Assert.True(new WriteRights([]) { Holds = SnapshotHolds.Of([hold, free]) }.Encode().Length < 200);
        Assert.True(SnapshotHolds.Of([hold, free with { Seen = seen }]).IsEmpty);
    }

    private static LogId LogOf(byte author)
    {
        byte[] id = new byte[NodeId.Size];
        id[0] = author;
        return new LogId(new NodeId(id), 1);
    }
}
