using System.Numerics;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Past;

/// <summary>A large part of a volume that one member took away, in a stretch of its own log.</summary>
/// <param name="Log">Whose log.</param>
/// <param name="FirstSeq">The first transaction that took something away, also before the stretch if there was no pause.</param>
/// <param name="From">The claim of when that was.</param>
/// <param name="To">The claim of when the last was.</param>
/// <param name="Objects">Objects removed, and files of which a version was superseded.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="ObjectsBefore">How many objects there were before it.</param>
/// <param name="BytesBefore">Their bytes.</param>
public sealed record Takings(
    LogId Log, ulong FirstSeq, WallTime From, WallTime To, long Objects, long Bytes, long ObjectsBefore,
    long BytesBefore);

/// <summary>Measures how much of a volume each member took away in the newest stretch of its log.</summary>
/// <remarks>
/// A function of the tree, of how far the logs are folded, and of nothing else. It is given all that the tree still knows of
/// the past; what was forgotten already counts no more. Of a stretch of twice the length all shorter ones are parts, so
/// each log is counted in powers of two of <see cref="BrakeLimits.Transactions"/>.
/// </remarks>
public sealed class BrakeMeter(
    TreeQueries queries, BrakeLimits limits, LogPositions folded, Func<TransactionId, bool> isReleased)
{
    private const int DepthMax = 4096;

    private readonly SortedDictionary<LogId, Tally> _logs = [];
    private readonly Dictionary<ObjectId, ObjectId> _places = [];
    private (long Objects, long Bytes) _removed;

    /// <summary>Whether the volume is, or was before all that was removed, large enough to be braked.</summary>
    public bool IsConcerned =>
        limits.Concern(queries.Totals.Objects + _removed.Objects, queries.Totals.SizeBytes + _removed.Bytes);

    /// <summary>Counts a removed object.</summary>
    public void Add(DetachedObject removed)
    {
        if (queries.Get(removed.Object) is not { } view)
        {
            return;
        }

        long bytes = view.Heads.Sum(static head => head.SizeBytes);
        _removed = (_removed.Objects + 1, _removed.Bytes + bytes);
        if (!isReleased(removed.By) && !IsOwnWork(removed.By, view.Creator, view.Created, view.Changed))
        {
            Tally tally = TallyOf(removed.By.Log);
            Count count = tally.At(StretchOf(removed.By));
            tally.All.Add((removed.By.Seq, view.Changed));
            count.Note(removed.By, view.Changed);
            count.Take(1, bytes);
            count.RemovedObjects++;
            count.RemovedBytes += bytes;
            Place(view, count);
        }
    }

    /// <summary>Counts a superseded version; those of one file one after the other.</summary>
    /// <remarks>
    /// A file counts once, with its largest version, where it was superseded last: who saves a file again and again takes
    /// one file away. A file that was removed counts by its removal.
    /// </remarks>
    public void Add(SupersededVersion past)
    {
        if (isReleased(past.By) || queries.Get(past.Object) is not { IsDetached: false } view
            || IsOwnWork(past.By, past.Version.Author, past.Version.Written, past.At))
        {
            return;
        }

        Tally tally = TallyOf(past.By.Log);
        int index = StretchOf(past.By);
        long bytes = past.Version.SizeBytes;
        if (tally.File == past.Object)
        {
            tally.At(tally.FileIndex).Take(-1, -tally.FileBytes);
            (index, bytes) = (Math.Min(index, tally.FileIndex), Math.Max(bytes, tally.FileBytes));
        }

        (tally.File, tally.FileIndex, tally.FileBytes) = (past.Object, index, bytes);
        tally.All.Add((past.By.Seq, past.At));
        Count count = tally.At(index);
        count.Note(past.By, past.At);
        count.Take(1, bytes);
        Place(view, count);
    }

    /// <summary>Whether the number of folders in the volume decides: then <see cref="Braked"/> needs it.</summary>
    public bool NeedsFolders => Stretches().Any(stretch => !IsLargeByBytes(stretch) && IsLargeByObjects(stretch));

    /// <summary>The members' stretches that took a large part away, in the order of the logs.</summary>
    /// <param name="folders">How many folders the volume has now; not looked at unless <see cref="NeedsFolders"/>.</param>
    public IReadOnlyList<Takings> Braked(long folders)
    {
        SortedDictionary<LogId, Takings> braked = [];
        foreach (Stretch stretch in Stretches())
        {
            if (IsLargeByBytes(stretch) || (IsLargeByObjects(stretch) && IsWide(stretch, folders)))
            {
                // The longest stretch comes last.
                Count count = stretch.Count;
                (ulong first, WallTime from) = BeginningOf(_logs[stretch.Log], count.FirstSeq);
                braked[stretch.Log] = new Takings(
                    stretch.Log, first, from < count.From ? from : count.From, count.To, count.Objects, count.Bytes,
                    stretch.ObjectsBefore, stretch.BytesBefore);
            }
        }

        return [.. braked.Values];
    }

    /// <summary>Each log's stretches from the shortest to the longest that is one, if enough was taken to matter at all.</summary>
    private IEnumerable<Stretch> Stretches()
    {
        TreeTotals now = queries.Totals;
        foreach ((LogId log, Tally tally) in _logs)
        {
            Count sum = new();
            for (int i = 0; i < tally.Counts.Count; i++)
            {
                sum = sum.With(tally.Counts[i]);
                Stretch stretch = new(
                    log, sum, now.Objects + sum.RemovedObjects, now.SizeBytes + sum.RemovedBytes);
                ulong half = limits.Transactions << i >> 1;
                if (i > 0 && half > (ulong)stretch.ObjectsBefore)
                {
                    break;
                }

                if (sum.Objects >= limits.ObjectsMin && limits.Concern(stretch.ObjectsBefore, stretch.BytesBefore))
                {
                    yield return stretch;
                }
            }
        }
    }

    /// <summary>Where that began of which the stretch is the end: as far back as there was no pause.</summary>
    private (ulong Seq, WallTime At) BeginningOf(Tally tally, ulong firstSeq)
    {
        List<(ulong Seq, WallTime At)> all = tally.All;
        all.Sort();
        int index = all.FindIndex(taken => taken.Seq >= firstSeq);
        long pause = limits.Pause.Ticks * TimeSpan.NanosecondsPerTick;
        while (index > 0 && all[index].At.UnixNanoseconds - all[index - 1].At.UnixNanoseconds <= pause)
        {
            index--;
        }

        return all[index];
    }

    private bool IsLargeByBytes(Stretch stretch) =>
        stretch.Count.Bytes > 0 && stretch.Count.Bytes * limits.Share >= stretch.BytesBefore;

    private bool IsLargeByObjects(Stretch stretch) =>
        stretch.Count.Objects * limits.Share >= stretch.ObjectsBefore;

    /// <summary>Whether it is in many folders: `rm -r node_modules` is many files and folders, and one place.</summary>
    private bool IsWide(Stretch stretch, long folders)
    {
        long removed = stretch.Count.Places.Count(id => queries.Get(id) is not { IsDetached: false });
        return stretch.Count.Places.Count * limits.Share >= folders + removed;
    }

    /// <summary>Both times are claims of the same clock: of nobody else's work is believed that it was young.</summary>
    private bool IsOwnWork(TransactionId by, NodeId author, WallTime made, WallTime taken) =>
        by.Log.Author == author
        && taken.UnixNanoseconds - made.UnixNanoseconds < limits.OwnWork.Ticks * TimeSpan.NanosecondsPerTick;

    private Tally TallyOf(LogId log)
    {
        if (!_logs.TryGetValue(log, out Tally? tally))
        {
            tally = new Tally();
            _logs.Add(log, tally);
        }

        return tally;
    }

    /// <summary>The shortest stretch that a transaction is in: 0 for the newest transactions, 1 for twice as many...</summary>
    private int StretchOf(TransactionId by)
    {
        ulong last = folded[by.Log].TransactionSeq;
        ulong behind = last > by.Seq ? last - by.Seq : 0;
        return behind < limits.Transactions ? 0 : BitOperations.Log2(behind / limits.Transactions) + 1;
    }

    /// <summary>Notes the folder that something was in: of removed folders the topmost.</summary>
    private void Place(ObjectView view, Count count)
    {
        if (view.Record.Places is [PlaceRecord place, ..])
        {
            count.Places.Add(TopmostRemoved(place.Parent));
        }
    }

    private ObjectId TopmostRemoved(ObjectId folder)
    {
        if (_places.TryGetValue(folder, out ObjectId known))
        {
            return known;
        }

        ObjectId top = folder;
        ObjectView? at = queries.Get(folder);
        for (int depth = 0; depth < DepthMax && at is { IsDetached: true }; depth++)
        {
            top = at.Owner;
            at = at.Record.Places is [PlaceRecord up, ..] ? queries.Get(up.Parent) : null;
        }

        _places.Add(folder, top);
        return top;
    }

    private sealed record Stretch(LogId Log, Count Count, long ObjectsBefore, long BytesBefore);

    /// <summary>What one log took away: each count is what is in a stretch and in no shorter one.</summary>
    private sealed class Tally
    {
        public List<Count> Counts { get; } = [];

        /// <summary>Each taking's transaction and claimed time, in no order.</summary>
        public List<(ulong Seq, WallTime At)> All { get; } = [];

        /// <summary>The file that was counted last.</summary>
        public ObjectId File { get; set; }

        public int FileIndex { get; set; }

        public long FileBytes { get; set; }

        public Count At(int index)
        {
            while (Counts.Count <= index)
            {
                Counts.Add(new Count());
            }

            return Counts[index];
        }
    }

    private sealed class Count
    {
        public long Objects { get; private set; }

        public long Bytes { get; private set; }

        public long RemovedObjects { get; set; }

        public long RemovedBytes { get; set; }

        public ulong FirstSeq { get; private set; } = ulong.MaxValue;

        public WallTime From { get; private set; } = new(long.MaxValue);

        public WallTime To { get; private set; } = new(long.MinValue);

        public HashSet<ObjectId> Places { get; } = [];

        public void Take(long objects, long bytes)
        {
            Objects += objects;
            Bytes += bytes;
        }

        public void Note(TransactionId by, WallTime at)
        {
            FirstSeq = Math.Min(FirstSeq, by.Seq);
            From = at < From ? at : From;
            To = at > To ? at : To;
        }

        public Count With(Count other)
        {
            Count sum = new()
            {
                Objects = Objects + other.Objects,
                Bytes = Bytes + other.Bytes,
                RemovedObjects = RemovedObjects + other.RemovedObjects,
                RemovedBytes = RemovedBytes + other.RemovedBytes,
                FirstSeq = Math.Min(FirstSeq, other.FirstSeq),
                From = other.From < From ? other.From : From,
                To = other.To > To ? other.To : To,
            };
            sum.Places.UnionWith(Places);
            sum.Places.UnionWith(other.Places);
            return sum;
        }
    }
}
