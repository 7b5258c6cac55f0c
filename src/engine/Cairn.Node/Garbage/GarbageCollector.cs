using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Node.Logs;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Garbage;

/// <summary>
/// Gives the space of what was deleted or superseded back, on all nodes and without ever taking what one needs.
/// </summary>
/// <remarks>
/// The steps of one round: (1) The first by id of the writers that may edit condemns what was removed by transactions
/// that every writer has: objects, versions and the chunks that nothing else refers to. One condemns for all, because two
/// at once would each take the other's garbage for a reason to keep a chunk that both share. (2) Look at others' condemnations: rescue
/// what is needed here, then acknowledge. (3) Remove the chunks of condemnations that every writer acknowledged, and
/// say so. (4) The first writer settles what every writer carried out. All of it is in the volume's log: a crash
/// repeats a step, never skips one. Thread: the engine's loop; the walk holds the log's gate for short steps.
/// </remarks>
public sealed partial class GarbageCollector : IDisposable
{
    private const int RemovedPerTurn = 256;

    private readonly ReplicatedLog _log;
    private readonly ChunkStore _store;
    private readonly NodeId _self;
    private readonly TimeProvider _time;
    private readonly GarbageOptions _options;
    private readonly TreeQueries _queries;
    private readonly IVolumeRoots _roots;
    private readonly LiveChunks _live;
    private readonly Signal _wake = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<ReadOnlyMemory<byte>> _late = [];
    private readonly SortedSet<ChunkAddress> _unnamed = [];
    private readonly CondemnedChunks _condemned;
    private readonly GarbageFinder _finder;
    private readonly VolumePurge _purge;
    private readonly BrakeWatch _brake;
    private IGarbageMembers _members;
    private long _measured;

    /// <summary>A collector for one volume.</summary>
    public GarbageCollector(
        ReplicatedLog log, ChunkStore store, IVolumeRoots roots, IGarbageMembers members, NodeId self,
        TimeProvider time, GarbageOptions? options = null, CondemnedChunks? condemned = null)
    {
        _condemned = condemned ?? new CondemnedChunks(log);
        _log = log;
        _store = store;
        _roots = roots;
        _members = members;
        _self = self;
        _time = time;
        _options = options ?? new GarbageOptions();
        _queries = new TreeQueries(log.Fold.Table);
        _live = new LiveChunks(log, _queries, roots);
        _finder = new GarbageFinder(log, _queries, _live, roots, _options);
        _purge = new VolumePurge(_queries, _live, _options);
        _brake = new BrakeWatch(log, _queries, _options, time);
        lock (log.Gate)
        {
            log.Written += OnWritten;
            log.Changed += OnChanged;
        }
    }

    /// <summary>Who else writes; replaced when members come or go.</summary>
    public IGarbageMembers Members
    {
        get => Volatile.Read(ref _members);
        set => Volatile.Write(ref _members, value);
    }

    /// <summary>Whether space is so short that no rule keeps the past.</summary>
    public Func<bool> IsSpaceShort { get; init; } = static () => false;

    /// <summary>Whether drafts wait for files the tree does not show yet: what they need is not known, nothing is agreed to.</summary>
    public Func<bool> KnowsLess { get; init; } = static () => false;

    /// <summary>How many bytes were given back since the start.</summary>
    public long CollectedBytes { get; private set; }

    /// <summary>What is condemned and not settled.</summary>
    public CondemnedChunks Condemned => _condemned;

    /// <summary>These chunks were removed here. Raised on the engine's loop.</summary>
    public event Action<ChunkAddress[]>? Removed;

    /// <summary>Of what was reported as unnamed, this is condemned, or named after all. Raised under the log's gate.</summary>
    public event Action<IEnumerable<ChunkAddress>>? UnnamedSettled;

    /// <summary>Chunks that were stored for a version that never came to be. Called under the log's gate.</summary>
    public void NoteUnnamed(IEnumerable<ChunkAddress> addresses)
    {
        int known = _unnamed.Count;
        _unnamed.UnionWith(addresses);
        if (_unnamed.Count > known)
        {
            _wake.Raise();
        }
    }

    /// <summary>Starts collecting in the background.</summary>
    public void Start(IWorkers workers)
    {
        if (_options.IsRemoved)
        {
            _wake.Raise();
        }

        workers.Start($"garbage {_log.Volume.Short}", Loop);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _log.Written -= OnWritten;
        _log.Changed -= OnChanged;
        _condemned.Dispose();
        _stop.Cancel();
        _wake.Raise();
    }

    /// <summary>Runs all steps once.</summary>
    /// <returns>Whether anything was done: then another round may find more.</returns>
    public async Task<bool> Round(CancellationToken cancellation)
    {
        if (Members.IsReturning)
        {
            return false;
        }

        if (_options.IsRemoved)
        {
            return await Purge(cancellation);
        }

        bool isRescued = !KnowsLess() && await RescueLate(cancellation);
        bool condemned = isRescued && IsCondemner && await Condemn(cancellation);
        condemned |= isRescued && await CondemnUnnamed(cancellation);
        bool acknowledged = !KnowsLess() && await Acknowledge(cancellation);
        bool carriedOut = isRescued && await CarryOut(cancellation);
        bool settled = Settle();
        return condemned || acknowledged || carriedOut || settled;
    }

    /// <summary>(1) Condemn what everybody has seen removed.</summary>
    private async Task<bool> Condemn(CancellationToken cancellation)
    {
        LogPositions cut;
        LogPositions emptied;
        lock (_log.Gate)
        {
            cut = Members.Stable(_log.Word);
            if (_queries.Condemned().Count > 0 && _time.GetElapsedTime(_measured) < _options.Interval)
            {
                // Nothing is condemned now; to measure nevertheless is for those who want to see what is held.
                return false;
            }
        }

        // What is condemned now was folded before, so it was measured.
        bool isBraked = !_options.IsPrivate && _brake.Look(Now);
        _measured = _time.GetTimestamp();
        lock (_log.Gate)
        {
            if (_queries.Condemned().Count > 0)
            {
                return isBraked;
            }

            emptied = TrashMark.Of(_queries);
        }

        bool IsSettled(TransactionId by) => cut.Contains(by) && _brake.IsSettled(by);
        PastLimits limits = new(Now, IsSettled, emptied, IsSpaceShort()) { IsHeld = _brake.Held };
        var candidates = new HashSet<ChunkAddress>();
        if (await _finder.Find(limits, candidates, cancellation) is not { } gone)
        {
            return isBraked;
        }

        bool isWritten = isBraked;
        await _live.Sift(
            candidates, gone, static (_, _) => { },
            () => isWritten |=
                KnowsAll() && _finder.IsStillGone(gone) && WriteCondemned(cut, gone, [.. candidates.Order()]),
            cancellation);
        return isWritten;
    }

    /// <summary>
    /// (1) Also condemn what was stored here and never named; nobody else knows of it, so each does it for itself.
    /// </summary>
    private async Task<bool> CondemnUnnamed(CancellationToken cancellation)
    {
        HashSet<ChunkAddress> candidates;
        lock (_log.Gate)
        {
            // Who only reads keeps them noted until it may write: nobody else knows of them, and nobody would obey it.
            IEnumerable<ChunkAddress> open = _unnamed.Where(address => !_condemned.Contains(address));
            candidates = _log.MayWrite ? [.. open.Take(_options.AddressesMax)] : [];
        }

        if (candidates.Count == 0)
        {
            return false;
        }

        var named = new HashSet<ChunkAddress>();
        bool isWritten = false;
        await _live.Sift(
            candidates, new GoneSet(),
            // What an open file alone needs is looked at again.
            (address, need) => _ = need == ChunkNeed.Tree && named.Add(address),
            () =>
            {
                Condemn condemn = new(LogPositions.Empty, [], [], [.. candidates.Order()], []);
                isWritten = candidates.Count > 0 && KnowsAll() && WriteCondemned(condemn);

                List<ChunkAddress> settled = [.. named, .. isWritten ? candidates : []];
                _unnamed.ExceptWith(settled);
                UnnamedSettled?.Invoke(settled);
            },
            cancellation);
        return isWritten;
    }

    /// <summary>Condemns in one transaction, or, what one cannot hold, in several behind each other.</summary>
    /// <remarks>
    /// The first has the objects: whoever folds the others has forgotten them, and rescues nothing for their sake. A crash
    /// between two leaves the chunks of those that were not written for good; nobody counts on them.
    /// </remarks>
    private bool WriteCondemned(LogPositions cut, GoneSet gone, ChunkAddress[] addresses)
    {
        ChunkAddress[][] parts = [.. addresses.Chunk(_options.AddressesMax)];
        Condemn first = new(
            cut, [.. gone.Objects.Order()], [.. gone.Versions.Order()], [.. parts.FirstOrDefault([])], []);
        return WriteCondemned(first, gone.Sweep)
            && parts.Skip(1).All(rest => WriteCondemned(new Condemn(LogPositions.Empty, [], [], [.. rest], [])));
    }

    /// <summary>Who condemns has looked already: it acknowledges in the same breath.</summary>
    private bool WriteCondemned(Condemn condemn, Primitive? beside = null)
    {
        Result<TransactionId, StoreError> written = _log.Append(beside is null ? [condemn] : [condemn, beside], Now);
        GarbageMark mark = GarbageMark.Of(_queries, _self);
        if (!written.IsOk || condemn.Addresses.IsEmpty)
        {
            return written.IsOk;
        }

        mark = mark with { Acknowledged = [.. mark.Acknowledged.Append(written.Value).Order()] };
        return Write(mark.ToPrimitive(_self));
    }

    /// <summary>(2) Rescue what is needed here, then acknowledge.</summary>
    private async Task<bool> Acknowledge(CancellationToken cancellation)
    {
        List<CondemnedAddresses> unseen;
        lock (_log.Gate)
        {
            unseen = Unacknowledged();
        }

        if (unseen.Count == 0)
        {
            return false;
        }

        var addresses = new HashSet<ChunkAddress>(unseen.SelectMany(list => list.Addresses));
        var needed = new List<ChunkAddress>();
        bool isWritten = false;
        await _live.Sift(
            addresses, new GoneSet(), (address, _) => needed.Add(address),
            () =>
            {
                needed.Sort();
                isWritten = KnowsAll() && (needed.Count == 0
                    ? Write(Acknowledging(unseen))
                    : Write(new Rescue([.. needed]), Acknowledging(unseen)));
            },
            cancellation);
        return isWritten;
    }

    /// <summary>The first of some lists: so many that whatever is needed of them fits one rescue.</summary>
    private List<CondemnedAddresses> FirstOf(IEnumerable<CondemnedAddresses> lists)
    {
        List<CondemnedAddresses> first = [];
        int addresses = 0;
        foreach (CondemnedAddresses list in lists)
        {
            addresses += list.Addresses.Length;
            if (first.Count > 0 && addresses > _options.AddressesMax)
            {
                break;
            }

            first.Add(list);
        }

        return first;
    }

    private List<CondemnedAddresses> Unacknowledged()
    {
        GarbageMark mark = GarbageMark.Of(_queries, _self);
        return FirstOf(_queries.Condemned().Where(list => !mark.Acknowledged.Contains(list.By)));
    }

    private SetRule Acknowledging(List<CondemnedAddresses> unseen)
    {
        GarbageMark mark = GarbageMark.Of(_queries, _self);
        var known = new HashSet<TransactionId>(_queries.Condemned().Select(list => list.By));
        return new GarbageMark(
            [.. mark.Acknowledged.Concat(unseen.Select(list => list.By)).Where(known.Contains).Order()],
            [.. mark.CarriedOut.Where(known.Contains)]).ToPrimitive(_self);
    }

    /// <summary>Rescues what own versions took up after their chunks were condemned.</summary>
    private async Task<bool> RescueLate(CancellationToken cancellation)
    {
        List<ReadOnlyMemory<byte>> late;
        lock (_log.Gate)
        {
            late = [.. _late];
        }

        var needed = new SortedSet<ChunkAddress>();
        bool isKnown = await _live.ChunksOf(
            late, chunk => _ = _condemned.Contains(chunk.Address) && needed.Add(chunk.Address), cancellation);
        lock (_log.Gate)
        {
            bool isRescued = isKnown && (needed.Count == 0 || Write(new Rescue([.. needed])));
            if (isRescued)
            {
                _late.RemoveRange(0, late.Count);
            }

            return isRescued;
        }
    }

    /// <summary>(3) Remove what every writer acknowledged.</summary>
    private async Task<bool> CarryOut(CancellationToken cancellation)
    {
        if (Ready().Count == 0)
        {
            return false;
        }

        // A large file may be on its way, and each chunk goes once: neither is a look, to rest from.
        long began = _time.GetTimestamp();
        using IDisposable pause = await _roots.PausePublishing(cancellation);
        List<CondemnedAddresses>? removed = await RemoveReady(cancellation);
        _noLook += _time.GetElapsedTime(began);
        if (removed is null)
        {
            return false;
        }

        lock (_log.Gate)
        {
            GarbageMark mark = GarbageMark.Of(_queries, _self);
            return Write((mark with
            {
                CarriedOut = [.. mark.CarriedOut.Concat(removed.Select(list => list.By)).Distinct().Order()],
            }).ToPrimitive(_self));
        }
    }

    /// <summary>Removes what is ready, so much at a time that other work of this loop is not kept waiting.</summary>
    /// <remarks>
    /// Who writes may have come back meanwhile, so it is asked anew each time who acknowledged. Between the last look at all
    /// of it and the mark nothing else runs here: what a peer has sent in between is gone, too, when it is said to be gone.
    /// </remarks>
    /// <returns>What was removed; null when nothing may go, or something stays.</returns>
    private async Task<List<CondemnedAddresses>?> RemoveReady(CancellationToken cancellation)
    {
        while (true)
        {
            List<CondemnedAddresses> ready = Ready();
            ChunkAddress[] all = [.. ready.SelectMany(list => list.Addresses)];
            ChunkAddress[] some = [.. all.Where(address => _store.Contains(KeyOf(address))).Take(RemovedPerTurn)];
            if (some.Length < RemovedPerTurn)
            {
                return all.Length > 0 && Remove(all) ? ready : null;
            }

            if (!RemoveUnsynced(some))
            {
                return null;
            }

            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>What every writer acknowledged and this node has not removed yet; nothing while something may be rescued.</summary>
    private List<CondemnedAddresses> Ready()
    {
        lock (_log.Gate)
        {
            GarbageMark mine = GarbageMark.Of(_queries, _self);
            List<GarbageMark> marks = MarksOfWriters();
            return _late.Count > 0 ? [] : [.. _queries.Condemned().Where(list => !mine.CarriedOut.Contains(list.By)
                && marks.TrueForAll(mark => mark.Acknowledged.Contains(list.By)))];
        }
    }

    /// <summary>Removes chunks here that nothing needs, durably.</summary>
    /// <returns>
    /// False when one is left, or the disk does not say that they are gone: it must not be said that they were removed, for
    /// the others would take what is here for last copies and bring them back.
    /// </returns>
    internal bool Remove(ChunkAddress[] addresses)
    {
        bool isGone = RemoveUnsynced(addresses);
        return _store.Commit().IsOk && isGone;
    }

    private bool RemoveUnsynced(ChunkAddress[] addresses)
    {
        List<ChunkAddress> gone = [];
        foreach (ChunkAddress address in addresses)
        {
            RecordKey key = KeyOf(address);
            int length = _store.Length(key);
            if (length < 0 || _store.Remove(key).IsOk)
            {
                CollectedBytes += Math.Max(length, 0);
                gone.Add(address);
            }
        }

        Removed?.Invoke([.. gone]);
        return gone.Count == addresses.Length;
    }

    private RecordKey KeyOf(ChunkAddress address) =>
        _options.IsPrivate ? RecordKey.Private(address) : RecordKey.Copy(address);

    /// <summary>(4) Settle what every writer carried out.</summary>
    private bool Settle()
    {
        lock (_log.Gate)
        {
            List<GarbageMark> marks = MarksOfWriters();
            ImmutableArray<TransactionId> settled = [.. _queries.Condemned().Select(list => list.By)
                .Where(by => marks.TrueForAll(mark => mark.CarriedOut.Contains(by)))];
            return IsCondemner && !settled.IsEmpty && Write(new Condemn(LogPositions.Empty, [], [], [], settled));
        }
    }

    /// <summary>Condemnations of a member that only reads have no effect: then no space would ever come back.</summary>
    private bool IsCondemner =>
        _log.MayWrite && Members.Writers.Where(_log.Rights.MayWrite).Order().FirstOrDefault() == _self;

    private List<GarbageMark> MarksOfWriters() =>
        [.. Members.Writers.Select(writer => GarbageMark.Of(_queries, writer))];

    /// <summary>Asked again where it is written: a look may take long, and the tree may cease to show all that is needed.</summary>
    private bool KnowsAll() => !Members.IsReturning && !KnowsLess();

    private WallTime Now => WallTime.From(_time.GetUtcNow());

    private bool Write(params ReadOnlySpan<Primitive> primitives) => _log.Append([.. primitives], Now).IsOk;

    private void OnWritten(ImmutableArray<Primitive> primitives)
    {
        _live.NoteWritten(primitives);
        foreach (Primitive primitive in primitives)
        {
            if (primitive is WriteVersion version && !_condemned.IsEmpty)
            {
                _late.Add(version.Manifest);
            }
        }

        _wake.Raise();
    }

    private void OnChanged(IReadOnlyList<byte[]> keys)
    {
        _live.NoteChanged(keys);
        _wake.Raise();
    }
}
