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
/// Work that comes so late that many snapshots were made without it: each shows byte for byte what its author saw, and they
/// do not cost the length of the history each.
/// </summary>
public sealed class LateWorkSnapshotTests
{
    private const int Members = 4;

    [Fact]
    public void Snapshots_stay_what_their_authors_saw_when_the_work_of_the_absent_comes() =>
        Seeds.Run(12, seed => new Run(seed).Check());

    [Fact]
    public void A_snapshot_costs_what_came_since_the_one_before_it()
    {
        const int Snapshots = 40;
        const int EditsEach = 25;
        (Replica here, Replica away) = (new Replica(1), new Replica(2));
        here.Create("shared");
        away.Receive(here);
        away.Create("late");
        var shown = new List<byte[]>();
        for (int i = 0; i < Snapshots * EditsEach; i++)
        {
            here.Create($"file{i}");
            if (i % EditsEach == EditsEach - 1)
            {
                shown.Add(SnapshotShown.Bytes(here.Fold.Table));
                TakeSnapshot(here, (byte)(i / EditsEach));
            }
        }

        var counted = new Counting();
        var fold = new OrderedFold(new MemoryTable(), counted);
        fold.Receive([.. here.Written, .. away.Written]);
        Assert.Equal(0, fold.WaitingCount);
        Assert.Equal(
            shown, new SnapshotQueries(fold.Table).All().OrderBy(one => one.Position)
                .Select(one => SnapshotShown.Bytes(new SnapshotTable(fold.Table, one.Position))));

        // Once in its place; and once for the first snapshot, or for the one before the next and the one after.
        Assert.InRange(counted.Applied, here.Written.Count, 5 * here.Written.Count);
    }

    private static Bytes16 TakeSnapshot(Replica replica, byte name)
    {
        Bytes16 id = replica.Fresh();
        replica.Do(new Primitive[] { new Snapshot(id, default, new[] { (byte)'s', name }) }.ToImmutableArray());
        return id;
    }

    private sealed class Run(ulong seed)
    {
        private readonly Prng _random = new(seed);
        private readonly Replica[] _replicas =
            [.. Enumerable.Range(1, Members).Select(n => new Replica((byte)n, seed))];

        private readonly Dictionary<Bytes16, byte[]> _shown = [];
        private readonly Dictionary<string, byte> _contents = [];

        internal void Check()
        {
            for (int step = 0; step < 400; step++)
            {
                Next(_replicas[_random.Next(Members)], step);
            }

            Transaction[] all = [.. _replicas.SelectMany(replica => replica.Written)];
            for (int i = all.Length - 1; i > 0; i--)
            {
                int j = _random.Next(i + 1);
                (all[i], all[j]) = (all[j], all[i]);
            }

            foreach (Replica replica in _replicas)
            {
                for (int i = 0; i < all.Length;)
                {
                    int batch = Math.Min(1 + _random.Next(200), all.Length - i);
                    Assert.Empty(replica.Fold.Receive(new ArraySegment<Transaction>(all, i, batch)).BelowCut);
                    i += batch;
                }

                Assert.Equal(_replicas[0].State(), replica.State());
                Compare(replica.Fold.Table);
            }

            var fresh = new OrderedFold(new MemoryTable(), new TreeApplier());
            fresh.Receive(all);
            Compare(fresh.Table);
        }

        private void Next(Replica replica, int step)
        {
            // Who hears of whom changes now and then, so that authors lack more than one other's work for long.
            bool isApart(Replica one, Replica other) =>
                ((step / 100) + Array.IndexOf(_replicas, one) + Array.IndexOf(_replicas, other)) % 3 == 0;
            switch (_random.Next(12))
            {
                case 0 or 1 or 2:
                    Replica from = _replicas[_random.Next(Members)];
                    if (!isApart(replica, from))
                    {
                        replica.Fold.Receive(from.Written.GetRange(0, _random.Next(from.Written.Count + 1)));
                    }

                    break;
                case 3:
                    byte[] shown = SnapshotShown.Bytes(replica.Fold.Table);
                    _shown.Add(TakeSnapshot(replica, (byte)_shown.Count), shown);
                    break;
                case 4:
                    replica.Fold.Save();
                    break;
                default:
                    new RandomEdits(replica, _random, _contents).Next(step);
                    break;
            }
        }

        private void Compare(ITreeTable table)
        {
            IReadOnlyList<SnapshotRecord> made = new SnapshotQueries(table).All();
            Assert.Equal(_shown.Count, made.Count);
            foreach (SnapshotRecord record in made)
            {
                byte[] shows = SnapshotShown.Bytes(new SnapshotTable(table, record.Position));
                Assert.Equal(Convert.ToHexString(_shown[record.Id]), Convert.ToHexString(shows));
            }
        }
    }

    private sealed class Counting : ITransactionApplier
    {
        private readonly TreeApplier _applier = new();

        internal int Applied { get; private set; }

        public bool Apply(Transaction transaction, ITreeTable state)
        {
            Applied++;
            return _applier.Apply(transaction, state);
        }

        public bool IsAboutWhatWasSeen(Transaction transaction) => _applier.IsAboutWhatWasSeen(transaction);

        public bool Apply(Transaction transaction, ITreeTable state, IReadOnlyList<TableChange> seenOtherwise)
        {
            Applied++;
            return _applier.Apply(transaction, state, seenOtherwise);
        }

        public void LeaveOut(Transaction transaction, ITreeTable state) => _applier.LeaveOut(transaction, state);

        public void Forget() => _applier.Forget();
    }
}
