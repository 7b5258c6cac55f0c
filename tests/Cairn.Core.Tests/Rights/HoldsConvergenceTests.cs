using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tests.Rights;

/// <summary>
/// Random edits, snapshots, removals of snapshots made apart, and clones that hold some, delivered in any order: what
/// a clone holds stays byte for byte what it was, on every member, and all have the same table.
/// </summary>
public sealed class HoldsConvergenceTests
{
    [Fact]
    public void What_a_clone_holds_no_removal_takes_away() =>
        Seeds.Run(200, seed => new Run(seed).Check());

    /// <summary>A snapshot as it must stay while a clone holds it.</summary>
    private sealed record Taken(Bytes16 Id, byte[] Shown);

    private sealed class Run
    {
        private readonly Prng _random;
        private readonly Replica[] _replicas;
        private readonly Dictionary<Replica, int> _known;
        private readonly List<Taken> _taken = [];
        private readonly List<SnapshotHold> _words = [];

        internal Run(ulong seed)
        {
            _random = new Prng(seed);
            _replicas = [.. Enumerable.Range(1, 2 + _random.Next(3)).Select(n => new Replica((byte)n, seed))];
            _known = _replicas.ToDictionary(replica => replica, _ => 0);
        }

        internal void Check()
        {
            int steps = 60 + _random.Next(80);
            for (int step = 0; step < steps; step++)
            {
                Next(_replicas[_random.Next(_replicas.Length)], step);
            }

            foreach (Replica replica in _replicas)
            {
                Learn(replica, _words.Count);
            }

            Replica.Sync(_replicas);
            var fresh = new Replica(99);
            fresh.Applier.Rights = _replicas[0].Applier.Rights;
            fresh.Receive(_replicas);
            Assert.Equal(fresh.State(), _replicas[0].State());
            foreach (Taken taken in _taken.Where(one => _replicas[0].Applier.Rights.Holds.IsHeld(one.Id)))
            {
                Replica some = _replicas[_random.Next(_replicas.Length)];
                SnapshotRecord? record = new SnapshotQueries(some.Fold.Table).Find(taken.Id);
                Assert.NotNull(record);
                var view = new SnapshotTable(some.Fold.Table, record.Position);
                Assert.Equal(Convert.ToHexString(taken.Shown), Convert.ToHexString(SnapshotShown.Bytes(view)));
            }
        }

        private void Next(Replica replica, int step)
        {
            switch (_random.Next(12))
            {
                case 0 or 1:
                    Replica from = _replicas[_random.Next(_replicas.Length)];
                    replica.Fold.Receive(from.Written.GetRange(0, _random.Next(from.Written.Count + 1)));
                    break;
                case 2:
                    _taken.Add(new Taken(replica.Fresh(), SnapshotShown.Bytes(replica.Fold.Table)));
                    replica.Do(new Primitive[] { new Snapshot(_taken[^1].Id, default, "s"u8.ToArray()) }.ToImmutable());
                    break;
                case 3 or 4 when _taken.Count > 0:
                    replica.Do(new Primitive[]
                    {
                        new Snapshot(_taken[_random.Next(_taken.Count)].Id, default, default),
                        new SweepKept(KeptRecord.First, KeptRecord.End),
                    }.ToImmutable());
                    break;
                case 5:
                    Hold();
                    break;
                case 6:
                    Learn(replica, Math.Min(_words.Count, _known[replica] + _random.Next(3)));
                    break;
                default:
                    new RandomEdits(replica, _random, []).Next(step);
                    break;
            }
        }

        /// <summary>The first is the admin: it clones a snapshot that it sees, or removes one of its clones.</summary>
        private void Hold()
        {
            Replica admin = _replicas[0];
            Learn(admin, _words.Count);
            SnapshotHold[] held = [.. _words.GroupBy(word => word.By).Select(words => words.Last())
                .Where(word => word.IsHeld)];
            IReadOnlyList<SnapshotRecord> all = new SnapshotQueries(admin.Fold.Table).All();
            if (held.Length > 0 && _random.Chance(3))
            {
                _words.Add(held[_random.Next(held.Length)] with { IsHeld = false, Seen = admin.Fold.Positions });
            }
            else if (all.Count > 0)
            {
                _words.Add(new SnapshotHold(
                    all[_random.Next(all.Count)].Id, new VolumeId(admin.Fresh().ToArray()), IsHeld: true,
                    admin.Fold.Positions));
            }

            Learn(admin, _words.Count);
        }

        /// <summary>A member hears so much of the pool's log; what it judges otherwise is folded again.</summary>
        private void Learn(Replica replica, int count)
        {
            _known[replica] = Math.Max(_known[replica], count);
            var rights = new WriteRights([]) { Holds = SnapshotHolds.Of(_words.Take(_known[replica])) };
            rights = WriteRights.Decode(rights.Encode());
            LogPositions folded = replica.Fold.Positions;
            bool isOtherwise = rights.JudgesOtherwise(replica.Applier.Rights, folded, replica.Fold.Table);
            replica.Applier.Rights = rights;
            if (isOtherwise)
            {
                replica.Fold.Reset();
                replica.Fold.Receive([.. _replicas.SelectMany(other => other.Written)
                    .Where(written => written.Id.Seq <= folded[written.Id.Log].TransactionSeq)]);
            }
        }
    }
}
