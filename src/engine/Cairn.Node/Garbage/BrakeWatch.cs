using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Node.Logs;
using Cairn.Storage;

namespace Cairn.Node.Garbage;

/// <summary>Looks for members that took a large part of the volume away, and says what may not be condemned.</summary>
/// <remarks>
/// Two things hold a removal back. A mark: somebody has to decide. And time: what belongs together is condemned only when it
/// was known for a while, else with a retention of nothing what was taken first would be gone before the rest makes it
/// much. That time is this node's own, by its monotonic clock; after a start it begins again. Thread: the collector's loop.
/// </remarks>
internal sealed class BrakeWatch(ReplicatedLog log, TreeQueries queries, GarbageOptions options, TimeProvider time)
{
    private readonly PastWalk _walk = new(log, queries);
    private readonly SortedDictionary<LogId, Seen> _seen = [];

    /// <summary>Those with lengths that were not known for long enough when they were looked at last.</summary>
    private readonly List<Seen> _settling = [];
    private LogPositions _noted = LogPositions.Empty;
    private Dictionary<LogId, BrakeMark> _marks = [];
    private bool _isConcerned;

    /// <summary>Remembers how long the logs are now: what they have come to is known from this moment on.</summary>
    /// <remarks>
    /// Between two looks may lie minutes: a look walks over all of the past, and rests accordingly. What is removed meanwhile is
    /// as old as it is, not as the look that finds it.
    /// </remarks>
    public void Note()
    {
        lock (log.Gate)
        {
            Note(log.Fold.Positions);
        }
    }

    /// <summary>Measures, and writes down who is to be held from now on.</summary>
    /// <returns>Whether something was written.</returns>
    public bool Look(WallTime now)
    {
        BrakeMeter meter;
        LogPositions folded;
        lock (log.Gate)
        {
            folded = log.Fold.Positions;
            Note(folded);
            _marks = MarksOf(folded);
            meter = new BrakeMeter(
                queries, options.Brake, folded,
                by => _marks.TryGetValue(by.Log, out BrakeMark? mark) && by.Seq <= mark.ReleasedTo);
        }

        _walk.Removed(some => All(some, meter.Add));
        _walk.Superseded(some => All(some, meter.Add));
        long folders = Locked(() => meter.NeedsFolders) ? CountFolders() : 0;
        lock (log.Gate)
        {
            _isConcerned = meter.IsConcerned;
            bool isWritten = false;
            foreach (Takings taken in meter.Braked(folders))
            {
                isWritten |= Hold(taken, now);
            }

            _marks = MarksOf(folded);
            return isWritten;
        }
    }

    /// <summary>Whether what a transaction took away waited for somebody's decision at the last look; null: nothing did.</summary>
    public Func<TransactionId, bool>? Held => _marks.Values.Any(static mark => mark.IsHeld)
        ? by => _marks.TryGetValue(by.Log, out BrakeMark? mark) && mark.Holds(by.Seq)
        : null;

    /// <summary>Whether what a transaction took away was known for long enough.</summary>
    public bool IsSettled(TransactionId by) =>
        !_isConcerned || (_seen.TryGetValue(by.Log, out Seen? seen) && by.Seq <= seen.SettledTo);

    private Dictionary<LogId, BrakeMark> MarksOf(LogPositions folded) =>
        folded.Logs.ToDictionary(held => held.Key, held => BrakeMark.Of(queries, held.Key));

    private static bool All<T>(IReadOnlyList<T> some, Action<T> add)
    {
        foreach (T item in some)
        {
            add(item);
        }

        return true;
    }

    private T Locked<T>(Func<T> ask)
    {
        lock (log.Gate)
        {
            return ask();
        }
    }

    private long CountFolders()
    {
        long folders = 0;
        _walk.Objects(some =>
        {
            folders += some.Count(id => queries.Get(id) is { Kind: TreeKind.Directory, IsDetached: false });
            return true;
        });
        return folders;
    }

    /// <summary>Remembers when the logs were how long. Asked every second, of hundreds of logs, nearly all of which have ended.</summary>
    private void Note(LogPositions folded)
    {
        foreach (LogId id in folded.DifferentFrom(_noted))
        {
            NoteLength(id, folded[id].TransactionSeq);
        }

        _noted = folded;
        _settling.RemoveAll(HasSettled);
    }

    private void NoteLength(LogId id, ulong last)
    {
        if (!_seen.TryGetValue(id, out Seen? seen))
        {
            seen = new Seen();
            _seen.Add(id, seen);
        }

        if (last > seen.Last)
        {
            if (seen.Lengths.Count == 0)
            {
                _settling.Add(seen);
            }

            seen.Last = last;
            seen.Lengths.Enqueue((last, time.GetTimestamp()));
        }
    }

    private bool HasSettled(Seen seen)
    {
        while (seen.Lengths.TryPeek(out (ulong Seq, long At) oldest)
            && time.GetElapsedTime(oldest.At) >= options.BrakeDelay)
        {
            seen.SettledTo = oldest.Seq;
            seen.Lengths.Dequeue();
        }

        return seen.Lengths.Count == 0;
    }

    /// <summary>Writes a mark, unless there is one already that says about as much.</summary>
    private bool Hold(Takings taken, WallTime now)
    {
        BrakeMark known = BrakeMark.Of(queries, taken.Log);
        if (known.IsHeld && known.HeldFrom <= taken.FirstSeq && taken.Objects * 2 <= known.Taken.Objects * 3)
        {
            return false;
        }

        if (known.IsHeld && known.HeldFrom < taken.FirstSeq)
        {
            // The stretch went on, and what began it is not in it any more.
            taken = taken with { FirstSeq = known.HeldFrom, From = known.Taken.From };
        }

        return log.Append([new BrakeMark(taken.FirstSeq, known.ReleasedTo, taken).ToPrimitive()], now)
            .TryGet(out _, out StoreError _);
    }

    private sealed class Seen
    {
        public ulong Last { get; set; }

        public ulong SettledTo { get; set; }

        public Queue<(ulong Seq, long At)> Lengths { get; } = new();
    }
}
