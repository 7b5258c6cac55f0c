using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tests.Tree;

/// <summary>
/// Random members, edits and delivery, with snapshots made in between: whatever comes late, a snapshot shows byte for
/// byte what its author saw, on every member, and as if nothing but its causal past had ever been folded.
/// </summary>
public sealed class SnapshotConvergenceTests
{
    [Fact]
    public void A_snapshot_stays_what_its_author_saw() =>
        Seeds.Run(250, seed => new Run(seed).Check());

    /// <summary>
    /// The others forgot its author and went on: what it had not seen is fixed at one of them when its snapshot comes, and
    /// the snapshot is behind the cut. Found by `cairn simulate --nodes 6 --hours 2 --storm-minutes 60 --seed 1001`.
    /// </summary>
    [Fact]
    public void A_snapshot_of_a_member_that_was_forgotten_is_folded_with_all_again()
    {
        (Replica here, Replica other, Replica away) = (new Replica(1), new Replica(2), new Replica(3));
        here.Create("before");
        Replica.Sync(here, other, away);
        here.Create("not seen");
        other.Receive(here);
        here.Receive(other);
        NodeId[] left = [here.Log.Author, other.Log.Author];
        here.Fold.Prune(here.Fold.Positions, left);
        for (int i = 0; i < 5; i++)
        {
            away.Create($"away{i}");
        }

        byte[] shown = SnapshotShown.Bytes(away.Fold.Table);
        away.Do(new Primitive[] { new Snapshot(away.Fresh(), default, "s"u8.ToArray()) }.ToImmutableArray());
        other.Receive(away);
        here.Fold.Save();
        var later = new OrderedFold(here.Fold.Table, new TreeApplier());
        Assert.NotEmpty(later.Receive(away.Written).BelowCut);
        here.Fold.Reset();
        here.Receive(here, other, away);
        Assert.Equal(other.State(), here.State());
        SnapshotRecord record = Assert.Single(new SnapshotQueries(here.Fold.Table).All());
        Assert.Equal(shown, SnapshotShown.Bytes(new SnapshotTable(here.Fold.Table, record.Position)));

        // One that belongs again, and has all, is a witness.
        Replica.Sync(here, other, away);
        here.Fold.Prune(here.Fold.Positions, [.. left, away.Log.Author]);
        away.Do(new Primitive[] { new Snapshot(away.Fresh(), default, "t"u8.ToArray()) }.ToImmutableArray());
        here.Receive(away);
    }

    /// <summary>A snapshot as it must stay.</summary>
    private sealed record Taken(Bytes16 Id, byte[] Shown, LogPositions Past);

    private sealed class Run
    {
        private readonly Prng _random;
        private readonly Replica[] _replicas;
        private readonly List<Taken> _taken = [];
        private readonly Dictionary<string, byte> _contents = [];
        private int _step;

        internal Run(ulong seed)
        {
            _random = new Prng(seed);
            _replicas = [.. Enumerable.Range(1, 2 + _random.Next(4)).Select(n => new Replica((byte)n, seed))];
        }

        internal void Check()
        {
            int steps = 40 + _random.Next(100);
            for (_step = 0; _step < steps; _step++)
            {
                Next(_replicas[_random.Next(_replicas.Length)]);
            }

            Deliver();
            Compare();

            // Removing some, and sweeping what only they needed, leaves the others as they are.
            List<Taken> gone = _taken.FindAll(_ => _random.Chance(2));
            Primitive[] removals = [.. gone.Select(one => new Snapshot(one.Id, default, default))];
            _replicas[0].Do(removals.ToImmutable());
            _taken.RemoveAll(gone.Contains);
            _replicas[0].Do(new Primitive[] { new SweepKept(KeptRecord.First, KeptRecord.End) }.ToImmutable());
            Next(_replicas[^1]);
            Deliver();
            Compare();
            foreach (Replica replica in _replicas)
            {
                int count = KeptRecord.Between(replica.Fold.Table, [], []).Count(record => !record.IsNeeded);
                Assert.Equal(0, _taken.Count == 0 ? count : 0);
            }
        }

        private void Next(Replica replica)
        {
            switch (_random.Next(12))
            {
                case 0 or 1 or 2:
                    Replica from = _replicas[_random.Next(_replicas.Length)];
                    replica.Fold.Receive(from.Written.GetRange(0, _random.Next(from.Written.Count + 1)));
                    break;
                case 3:
                    Take(replica);
                    break;
                case 4:
                    Prune(replica);
                    break;
                default:
                    new RandomEdits(replica, _random, _contents).Next(_step);
                    break;
            }
        }

        private void Take(Replica replica)
        {
            var taken = new Taken(replica.Fresh(), SnapshotShown.Bytes(replica.Fold.Table), replica.Fold.Positions);
            var name = new byte[] { (byte)'s', (byte)('a' + (_taken.Count % 26)) };
            replica.Do(new Primitive[] { new Snapshot(taken.Id, default, name), new NameAuthor(name) }.ToImmutable());
            _taken.Add(taken);
        }

        /// <summary>Prunes what is stable: all have it, and this one has what they wrote when they said so.</summary>
        private void Prune(Replica replica)
        {
            LogPositions held = replica.Fold.Positions;
            if (_replicas.All(other => held[other.Log].TransactionSeq == (ulong)other.Written.Count))
            {
                replica.Fold.Prune(LogPositions.From(_replicas.Select(author => KeyValuePair.Create(
                    author.Log,
                    new LogPosition(0, _replicas.Min(other => other.Fold.Positions[author.Log].TransactionSeq))))
                    .Where(log => log.Value.TransactionSeq > 0)));
            }

            if (_random.Chance(2))
            {
                replica.Fold.Save();
            }
        }

        private void Deliver()
        {
            Transaction[] all = [.. _replicas.SelectMany(replica => replica.Written)];
            foreach (Replica replica in _replicas)
            {
                for (int i = all.Length - 1; i > 0; i--)
                {
                    int j = _random.Next(i + 1);
                    (all[i], all[j]) = (all[j], all[i]);
                }

                for (int i = 0; i < all.Length;)
                {
                    int batch = Math.Min(1 + _random.Next(12), all.Length - i);
                    Assert.Empty(replica.Fold.Receive(new ArraySegment<Transaction>(all, i, batch)).BelowCut);
                    i += batch;
                }

                Assert.Equal(0, replica.Fold.WaitingCount);
                Assert.Equal(_replicas[0].State(), replica.State());
            }
        }

        private void Compare()
        {
            Replica some = _replicas[_random.Next(_replicas.Length)];
            var snapshots = new SnapshotQueries(some.Fold.Table);
            Assert.Equal(_taken.Count, snapshots.All().Count);
            foreach (Taken taken in _taken)
            {
                SnapshotRecord record = snapshots.Find(taken.Id)!;
                var view = new SnapshotTable(some.Fold.Table, record.Position);
                Assert.Equal(Convert.ToHexString(taken.Shown), Convert.ToHexString(SnapshotShown.Bytes(view)));
                AssertPointsEqualScan(view);

                var fresh = new OrderedFold(new MemoryTable(), new TreeApplier());
                fresh.Receive([.. _replicas.SelectMany(replica => replica.Written)
                    .Where(written => written.Id.Seq <= taken.Past[written.Id.Log].TransactionSeq)]);
                Assert.Equal(Convert.ToHexString(taken.Shown), Convert.ToHexString(SnapshotShown.Bytes(fresh.Table)));
            }
        }

        /// <summary>Asking for a key gives what a walk gives, from any key on.</summary>
        private void AssertPointsEqualScan(SnapshotTable view)
        {
            List<byte[]> keys = Keys(view, [], []);
            Assert.All(keys, key => Assert.NotNull(view.Get(key)));
            if (keys.Count > 0)
            {
                byte[] from = keys[_random.Next(keys.Count)];
                byte[] to = keys[_random.Next(keys.Count)];
                Assert.Equal(
                    keys.Where(key => key.AsSpan().SequenceCompareTo(from) >= 0
                        && key.AsSpan().SequenceCompareTo(to) < 0),
                    Keys(view, from, to));
            }
        }

        private static List<byte[]> Keys(SnapshotTable view, byte[] from, byte[] to)
        {
            var keys = new List<byte[]>();
            for (TableCursor cursor = view.Scan(from, to); cursor.MoveNext();)
            {
                keys.Add(cursor.Key);
            }

            return keys;
        }
    }
}
