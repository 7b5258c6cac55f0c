using Cairn.Coding.Chunking;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Drafts;
using Cairn.Node.Engine;
using Cairn.Node.Logs;
using Cairn.Node.Ports;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.WritePath;

/// <summary>Makes versions of drafts, in the background: the second half of a write.</summary>
/// <remarks>
/// The steps (docs/ARCHITECTURE.md, life of a write): (4) freeze the drafts that are due; (5) cut, encrypt and store their
/// bytes as staged chunks, which the replicator hears of one by one; (6) make the chunks durable; (7) journal a transaction
/// a file that names the new version; (8) make those durable; (9) give the drafts' journal space back. A crash between any
/// two leaves the draft in the journal, and it is published again; equal chunks are then not stored twice.
/// </remarks>
internal sealed class Publisher : IDisposable
{
    private static readonly TimeSpan RetryAfterFailure = TimeSpan.FromSeconds(1);

    private readonly VolumeState _state;
    private readonly ContentReader _reader;
    private readonly ContentCutter _cutter;
    private readonly SemaphoreSlim _round = new(1, 1);
    private readonly Signal _wake = new();
    private TaskCompletionSource _progress = new();

    public Publisher(VolumeState state, ContentReader reader)
    {
        _state = state;
        _reader = reader;
        VolumeParts parts = state.Parts;
        ChunkWriter chunks = new(
            () => state.Keys, parts.Store, state.Condemned, state.Unnamed, parts.Replication, parts.IsPrivate);
        GearTable gear = GearTable.Derive(state.Keys.Dedup);
        _cutter = new ContentCutter(gear, reader, chunks, state.Journal, parts.Publishing);
    }

    /// <summary>How a round went.</summary>
    private enum RoundEnd
    {
        /// <summary>What was due is published.</summary>
        Done,

        /// <summary>What could be is published; the manifest of some file cannot be read now, nobody who has it is here.</summary>
        Unread,

        /// <summary>Nothing more can be published now.</summary>
        Failed,
    }

    private sealed record Job(OpenObject Target, Draft Draft, Manifest Base, bool IsNear)
    {
        public List<CutSlice> Cuts { get; set; } = [];

        public Manifest Manifest { get; set; } = Manifest.Empty;

        public byte[] Root { get; set; } = [];

        public bool IsNamed { get; set; }
    }

    /// <summary>Chunks were stored that no version names: a file was removed meanwhile, or a draft changed. Under the gate.</summary>
    public event Action<IEnumerable<ChunkAddress>>? Unnamed;

    /// <summary>Whether a new file was closed and its first version is being made: its name waits a moment.</summary>
    public bool MakesFirstVersion()
    {
        lock (_state.Gate)
        {
            foreach (OpenObject target in _state.OpenObjects)
            {
                if (target is { Writers: 0, BaseHeads.IsEmpty: true, IsPinned: true })
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Something may be due: a file was closed, a first write came. Called under the gate, from any thread.</summary>
    public void Signal() => _wake.Raise();

    /// <summary>Completes after the next round: what a writer without room waits for.</summary>
    public Task Progress => Volatile.Read(ref _progress).Task;

    /// <summary>Runs until the volume stops.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        long roundEndMs = 0;
        while (!cancellation.IsCancellationRequested)
        {
            TimeSpan wait;
            lock (_state.Gate)
            {
                _wake.Hear();
                wait = NextDue(_state.NowMs);
            }

            if (wait > TimeSpan.Zero)
            {
                lock (_state.Gate)
                {
                    ReportUnnamed();
                }

                _cutter.Rest();
                _state.Parts.Replication.Rest();
                await (wait == TimeSpan.MaxValue
                    ? _wake.Wait(cancellation)
                    : _wake.Wait(wait, _state.Parts.Time, cancellation));
                continue;
            }

            // A save after a rest goes at once: somebody may wait to see it. What follows it closely is gathered.
            TimeSpan gather = _state.Parts.Publishing.Gather;
            if (gather > TimeSpan.Zero && _state.NowMs - roundEndMs <= gather.TotalMilliseconds)
            {
                await Task.Delay(gather, _state.Parts.Time, cancellation);
            }

            if (await Round(isForced: false, cancellation) == RoundEnd.Failed)
            {
                await Task.Delay(RetryAfterFailure, _state.Parts.Time, cancellation);
            }

            roundEndMs = _state.NowMs;
        }
    }

    /// <summary>Publishes everything that can be, now: at a clean stop, and for whoever asks how safe a file is.</summary>
    public async Task<bool> PublishAll(CancellationToken cancellation)
    {
        while (true)
        {
            lock (_state.Gate)
            {
                bool any = false;
                foreach (OpenObject target in _state.OpenObjects)
                {
                    target.WantsPublishing |= target.Active is not null;
                    any |= target.Active is not null || target.Frozen is not null;
                }

                if (!any)
                {
                    return true;
                }
            }

            if (await Round(isForced: true, cancellation) != RoundEnd.Done)
            {
                return false;
            }
        }
    }

    /// <summary>What was stored and not named is reported once no draft waits of which a part was stored. Under the gate.</summary>
    public void ReportUnnamed()
    {
        foreach (OpenObject target in _state.OpenObjects)
        {
            if (target.Frozen is not null || target.Active is { IsRecovered: true })
            {
                return;
            }
        }

        IReadOnlyList<ChunkAddress> unnamed = _state.Unnamed.All;
        if (unnamed.Count > 0)
        {
            Unnamed?.Invoke(unnamed);
        }
    }

    /// <summary>Waits for the round under way; no other begins until the result is disposed.</summary>
    public async ValueTask<IDisposable> Pause(CancellationToken cancellation)
    {
        // Without the token: a cancellable wait on a semaphore comes back on the thread pool, past the simulator.
        await _round.WaitAsync(CancellationToken.None);
        Rest rest = new(_round);
        if (cancellation.IsCancellationRequested)
        {
            rest.Dispose();
            cancellation.ThrowIfCancellationRequested();
        }

        return rest;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cutter.Dispose();
        _round.Dispose();
    }

    /// <summary>How long until a draft is due; zero or less for now.</summary>
    private TimeSpan NextDue(long nowMs)
    {
        TimeSpan next = TimeSpan.MaxValue;
        foreach (OpenObject target in _state.OpenObjects)
        {
            if (DueIn(target, nowMs) is { } due && due < next)
            {
                next = due;
            }
        }

        return next;
    }

    private TimeSpan? DueIn(OpenObject target, long nowMs)
    {
        if (target.Frozen is not null)
        {
            return TimeSpan.FromMilliseconds(Math.Max(0, target.RetryAtMs - nowMs));
        }

        if (target.Active is not { Pending: 0 } draft)
        {
            return null;
        }

        if (target.WantsPublishing)
        {
            return TimeSpan.Zero;
        }

        PublishOptions options = _state.Parts.Publishing;
        long idle = draft.LastWriteMs + (long)options.Idle.TotalMilliseconds - nowMs;
        long latest = draft.FirstWriteMs + (long)options.Latest.TotalMilliseconds - nowMs;
        return TimeSpan.FromMilliseconds(Math.Max(0, Math.Min(idle, latest)));
    }

    /// <param name="isForced">Whether what could not be read a moment ago is tried all the same.</param>
    /// <param name="cancellation">Ends the wait for what others have.</param>
    private async Task<RoundEnd> Round(bool isForced, CancellationToken cancellation)
    {
        using IDisposable alone = await Pause(cancellation);

        // (4) Freeze.
        List<Job> jobs = [];
        List<OpenObject> due = Freeze(isForced);
        foreach (OpenObject target in due)
        {
            Result<Manifest, VolumeError> basis = await _reader.LoadBase(target, cancellation);
            if (basis.IsOk)
            {
                bool isNear = NearContent.IsMeant(_state, target);
                jobs.Add(new Job(target, target.Frozen!, basis.Value, isNear));
                continue;
            }

            lock (_state.Gate)
            {
                target.RetryAtMs = _state.NowMs + (long)RetryAfterFailure.TotalMilliseconds;
            }
        }

        if (jobs.Count == 0 && due.Count > 0)
        {
            return RoundEnd.Unread;
        }

        bool ok = await _state.Parts.Workers.Run(WorkPriority.Background, () => Store(jobs), cancellation);
        if (ok)
        {
            ok = await Commit(jobs);
        }

        Interlocked.Exchange(ref _progress, new TaskCompletionSource()).TrySetResult();
        return !ok ? RoundEnd.Failed : jobs.Count < due.Count ? RoundEnd.Unread : RoundEnd.Done;
    }

    private List<OpenObject> Freeze(bool isForced)
    {
        List<OpenObject> due = [];
        lock (_state.Gate)
        {
            long nowMs = _state.NowMs;
            long bytes = 0;
            foreach (OpenObject target in _state.OpenObjects)
            {
                if (bytes >= _state.Parts.Publishing.RoundBytesMax)
                {
                    break;
                }

                bool isAgain = isForced && target.Frozen is not null;
                if (DueIn(target, nowMs) is not { } wait || (wait > TimeSpan.Zero && !isAgain))
                {
                    continue;
                }

                if (target.Frozen is null)
                {
                    target.Frozen = target.Active;
                    target.Active = null;
                    target.WantsPublishing = false;
                }

                bytes += target.Frozen!.Map.DataBytes;
                due.Add(target);
            }
        }

        return due;
    }

    /// <summary>Steps 5 and 6, on a worker.</summary>
    private bool Store(List<Job> jobs)
    {
        bool isStored = StoreChunks(jobs);

        // Also of a round that failed: what it stored is owed. It travels while it is synced here.
        _state.Parts.Replication.NoMoreStaged();

        // (6) Chunks durable.
        return isStored && _state.Parts.Store.Commit().IsOk;
    }

    private bool StoreChunks(List<Job> jobs)
    {
        _cutter.Reset();
        foreach (Job job in jobs)
        {
            if (!_cutter.Cut(job.Base, job.Draft, job.IsNear).TryGet(out List<CutSlice>? cuts, out _))
            {
                return false;
            }

            job.Cuts = cuts;
        }

        // (5) Cut, encrypt, store.
        if (!_cutter.FinishBundles().IsOk)
        {
            return false;
        }

        foreach (Job job in jobs)
        {
            Result<(Manifest Manifest, byte[] Root), StoreError> finished =
                _cutter.Finish(job.Base, job.Draft, job.Cuts);
            if (!finished.IsOk)
            {
                return false;
            }

            (job.Manifest, job.Root) = finished.Value;
        }

        return true;
    }

    private async Task<bool> Commit(List<Job> jobs)
    {
        bool areNamed = true;
        List<JournalExtent> freed = [];
        List<JournalPosition> notes = [];
        foreach (Job job in jobs)
        {
            // (7) Name the version. One file at a time: requests get the gate between two.
            lock (_state.Gate)
            {
                areNamed = Name(job);
                if (!areNamed)
                {
                    break;
                }

                job.Draft.Map.Clear(freed);
                notes.AddRange(job.Draft.Notes);
                _state.CloseIfIdle(job.Target);
            }
        }

        notes.AddRange(_state.Unnamed.Renew());

        // (8) Versions durable, before the journal forgets what they were made of.
        if (!(await _state.Journal.Journal.CommitAsync()).IsOk)
        {
            return false;
        }

        // (9) Give back.
        _state.Journal.Release(freed);
        foreach (JournalPosition note in notes)
        {
            _state.Journal.Journal.Release(note);
        }

        foreach (Job job in jobs.Where(static job => job.IsNamed))
        {
            _state.Unnamed.Settle(AddressesOf(job));
        }

        lock (_state.Gate)
        {
            ReportUnnamed();
        }

        return areNamed;
    }

    /// <summary>The other heads that a version ends were shown under names of their own.</summary>
    private void TellSuperseded(OpenObject target)
    {
        foreach (VersionId head in target.BaseHeads.Skip(1))
        {
            ObjectId branch = TreeQueries.BranchOf(target.Id, head);
            _state.TellObject(_state.Inodes.NumberOf(branch), contentChanged: true);
        }
    }

    /// <summary>Where another version holds the name, doors that show this draft show the other one from now on.</summary>
    private void TellConflict(OpenObject target, VersionId written)
    {
        if (_state.Queries.Get(target.Id) is not { Head: { } head } view || head.Is(written))
        {
            return;
        }

        _state.TellObject(target.Inode, contentChanged: true);
        foreach ((ObjectId parent, ReadOnlyMemory<byte> name) in _state.Queries.Parents(view.Owner))
        {
            _state.TellEntry(_state.Inodes.NumberOf(parent), name);
        }
    }

    /// <summary>The chunks that this round put for a file.</summary>
    private static IEnumerable<ChunkAddress> AddressesOf(Job job)
    {
        bool isLarge = ManifestRootCodec.Decode(job.Root).TryGet(out ManifestRoot? root, out _)
            && root is ManifestRoot.Chunked;
        IEnumerable<ChunkAddress> content = job.Cuts.SelectMany(cut => cut.Content!.Addresses());
        return isLarge ? content.Concat(root!.DirectChunks().Select(chunk => chunk.Address)) : content;
    }

    /// <summary>Whether a chunk this round put was condemned since: it is not counted on, the next round stores it otherwise.</summary>
    private bool IsCondemned(Job job)
    {
        return !_state.Condemned.IsEmpty && AddressesOf(job).Any(_state.Condemned.Contains);
    }

    /// <summary>Writes the version's transaction; a draft that nobody wants any more goes without.</summary>
    private bool Name(Job job)
    {
        if (IsCondemned(job))
        {
            return false;
        }

        OpenObject target = job.Target;
        NewVersion version = new(
            job.Draft.Version, job.Manifest.SizeBytes, job.Manifest.DataBytes, job.Draft.Modified, job.Root);
        VolumeError? failed = _state.CommitDraft(target.Id, job.Draft, target.BaseHeads, version);
        if (failed is not null and not VolumeError.NotFound)
        {
            return false;
        }

        target.Frozen = null;
        job.IsNamed = failed is null;
        if (job.IsNamed)
        {
            TellSuperseded(target);
            target.BaseHeads = [job.Draft.Version];
            TellConflict(target, job.Draft.Version);
        }

        target.Base = job.Manifest;
        target.BaseRoot = job.Root;
        target.BaseSize = job.Manifest.SizeBytes;
        _state.TellIfUnpinned(target);
        return true;
    }

    private sealed class Rest(SemaphoreSlim round) : IDisposable
    {
        public void Dispose() => round.Release();
    }
}
