using System.Collections.Immutable;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.ReadPath;
using Cairn.Node.Replication;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Offline;

/// <summary>Keeps what is pinned on this node: fetches what is not here, and holds it in the cache.</summary>
/// <remarks>
/// A pass (1) walks what the pins name, (2) marks the chunks that are here and unmarks all others, (3) fetches the rest. One
/// follows every change of a volume that has pins, with rests that grow with the work; a pin is a state that is reached
/// again and again, so nothing has to be remembered but the pins. Until the first pass after a start nothing of the cache
/// yields. Thread: the engine's loop.
/// </remarks>
internal sealed class PinKeeper : IDisposable
{
    private const int FetchersMax = 4;
    private const int RestFactor = 20;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    /// <summary>A pass looks at every pinned file: while the volume changes all the time, not at each change.</summary>
    private static readonly TimeSpan RestMin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly NodePorts _ports;
    private readonly ChunkStore _store;
    private readonly VolumeSet _volumes;
    private readonly PeerSet _peers;
    private readonly ReadSource _source;
    private readonly NodeDiary _diary;
    private readonly PinStore _pins;
    private List<(Pin Pin, PinSummary Summary)> _seen = [];
    private TaskCompletionSource _wake = new();
    private Task _pass = Task.CompletedTask;
    private long _changesSeen = -1;
    private bool _isIncomplete;

    /// <summary>Reads the pins; nothing of the cache yields until they were looked at.</summary>
    public PinKeeper(
        NodePorts ports, ChunkStore store, VolumeSet volumes, PeerSet peers, ReadSource source, NodeDiary diary)
    {
        _ports = ports;
        _store = store;
        _volumes = volumes;
        _peers = peers;
        _source = source;
        _diary = diary;
        _pins = new PinStore(ports.Disk);
        store.Pins.HoldsAll = _pins.Pins.Length > 0;
        peers.Connected += _ => Wake();
        if (_pins.IsUnreadable)
        {
            diary.Add(LogLevel.Error, "pins", "The file 'pins' in the home is damaged: pin again what is to be kept.");
        }
    }

    /// <summary>The pins with how far each is, as of the last pass.</summary>
    public IReadOnlyList<PinSummary> Summaries => [.. _seen.Select(seen => seen.Summary)];

    /// <summary>The pin of something that was removed from its volume, by the path that is shown for it.</summary>
    public Pin? FindRemoved(string path) =>
        _seen.Find(seen => seen.Summary.State == PinState.Removed && seen.Summary.Path == path).Pin;

    /// <summary>The pins.</summary>
    public ImmutableArray<Pin> Pins => _pins.Pins;

    /// <summary>Begins.</summary>
    public void Start() => _ports.Workers.Start("pins", Loop);

    /// <summary>Stops.</summary>
    public void Stop() => Waiting.End(_stop);

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    /// <summary>Adds pins and lets go of others, durably.</summary>
    public Result<Unit, StoreError> Change(ImmutableArray<Pin> pins)
    {
        Result<Unit, StoreError> kept = _pins.Replace(pins);
        _changesSeen = -1;
        Wake();
        return kept;
    }

    /// <summary>Marks anew what is pinned, without fetching: what was unpinned may yield when this ends.</summary>
    public async Task Settle()
    {
        await _pass;
        await Mark();
    }

    private void Wake() => _wake.TrySetResult();

    private async Task Loop()
    {
        TimeSpan rest = TimeSpan.Zero;
        long looked = 0;
        while (!_stop.IsCancellationRequested)
        {
            long changes = _volumes.Open.Sum(volume => volume.Changes);
            bool isRetry = _isIncomplete
                && (_wake.Task.IsCompleted || _ports.Time.GetElapsedTime(looked) > RetryAfter);
            _wake = _wake.Task.IsCompleted ? new TaskCompletionSource() : _wake;
            if (changes != _changesSeen || isRetry)
            {
                looked = _ports.Time.GetTimestamp();
                _changesSeen = changes;
                _pass = Pass();
                await _pass;
                rest = _ports.Time.GetElapsedTime(looked) * RestFactor;
                rest = rest > RestMin ? rest : RestMin;
            }
            else
            {
                rest = TimeSpan.Zero;
            }

            TimeSpan pause = _pins.Pins.Length == 0 ? Timeout.InfiniteTimeSpan : rest > LookEvery ? rest : LookEvery;
            await Waiting.AtMost(_wake.Task, pause, _ports.Time, _stop.Token);
        }
    }

    private async Task Pass()
    {
        List<PinnedContents> found = await Mark();
        Queue<ChunkRef> missing = new(found.SelectMany(pin => pin.Chunks).Where(chunk => !IsHere(chunk)).Distinct());
        bool hasMissing = missing.Count > 0;
        _isIncomplete = hasMissing || found.Exists(pin => pin.Unreadable > 0);
        if (!hasMissing)
        {
            Summarize(found, PinState.Waiting);
            return;
        }

        Summarize(found, PinState.Fetching);
        PinState outcome = await Fetch(missing);
        Summarize(found, outcome);
        _isIncomplete = _seen.Exists(seen => seen.Summary.State is not (PinState.Kept or PinState.Removed));
    }

    /// <summary>(1) Walks, (2) marks.</summary>
    private async Task<List<PinnedContents>> Mark()
    {
        List<PinnedContents> found = [];
        HashSet<ChunkAddress> wanted = [];
        bool isComplete = true;
        foreach (Pin pin in _pins.Pins)
        {
            if (_volumes.Find(pin.Volume) is not { } volume)
            {
                // Its keys or logs are not here yet: what it names is not known.
                isComplete = false;
                continue;
            }

            PinnedContents contents = await volume.Pinned(pin, _stop.Token);
            found.Add(contents);
            isComplete &= contents.Unreadable == 0;
            wanted.UnionWith(contents.Chunks.Select(chunk => chunk.Address));
        }

        await _ports.Workers.Run(WorkPriority.Background, () =>
        {
            foreach (ChunkAddress address in wanted)
            {
                _store.Pins.Pin(RecordKey.Copy(address));
            }

            if (isComplete)
            {
                _store.Pins.UnpinAllBut(wanted);
                _store.Pins.HoldsAll = false;
            }

            return true;
        });
        Follow(found);
        return found;
    }

    /// <summary>A pin goes where what it pins went.</summary>
    private void Follow(List<PinnedContents> found)
    {
        ImmutableArray<Pin> moved =
        [
            .. _pins.Pins.Select(
                pin => found.Find(seen => seen.Pin.IsSame(pin) || IsSuccessor(seen.Pin, pin))?.Pin ?? pin),
        ];
        bool isNews = !moved.Zip(_pins.Pins).All(pair => pair.First.IsSame(pair.Second)
            && pair.First.Parent == pair.Second.Parent && pair.First.Name.Span.SequenceEqual(pair.Second.Name.Span));
        if (isNews && !_pins.Replace(moved).TryGet(out _, out StoreError error))
        {
            _diary.Add(LogLevel.Error, "pins", error.ToString());
        }
    }

    private static bool IsSuccessor(Pin now, Pin before) =>
        (now.Volume, now.Parent, now.RecentDays) == (before.Volume, before.Parent, before.RecentDays)
        && !before.Name.IsEmpty && now.Name.Span.SequenceEqual(before.Name.Span);

    /// <summary>(3) Fetches; says why some of it could not be had.</summary>
    private async Task<PinState> Fetch(Queue<ChunkRef> missing)
    {
        PinState outcome = PinState.Waiting;
        async Task Run()
        {
            while (!_stop.IsCancellationRequested && missing.TryDequeue(out ChunkRef? chunk))
            {
                if (!_store.HasRoom(chunk.StoredLength, ChunkUse.Replicated))
                {
                    outcome = PinState.NoRoom;
                    return;
                }

                if (_peers.Links.Count == 0)
                {
                    return;
                }

                Result<ChunkLease, Volumes.VolumeError> fetched = await _source.FetchHere(chunk.Address, _stop.Token);
                if (fetched.TryGet(out ChunkLease? lease, out _))
                {
                    using (lease)
                    {
                        await _ports.Workers.Run(WorkPriority.Background, () => Keep(chunk, lease));
                    }
                }
            }
        }

        Task[] fetchers = [.. Enumerable.Range(0, FetchersMax).Select(_ => Run())];
        foreach (Task fetcher in fetchers)
        {
            await fetcher;
        }

        return outcome;
    }

    private bool Keep(ChunkRef chunk, ChunkLease lease)
    {
        RecordKey key = RecordKey.Copy(chunk.Address);
        return _store.Put(key, lease.Bytes.Span, ChunkUse.Cached).IsOk && _store.Pins.Pin(key);
    }

    private bool IsHere(ChunkRef chunk) => _store.Contains(RecordKey.Copy(chunk.Address));

    private bool IsHereOrNowhere(ChunkRef chunk) => IsHere(chunk) || _source.Nowhere.Has(chunk.Address);

    private void Summarize(List<PinnedContents> found, PinState ifMissing)
    {
        List<(Pin, PinSummary)> all = [];
        foreach (PinnedContents pin in found)
        {
            long bytes = pin.Chunks.Sum(chunk => (long)chunk.StoredLength);
            long here = pin.Chunks.Where(IsHere).Sum(chunk => (long)chunk.StoredLength);
            PinState state = pin.IsGone ? PinState.Removed
                : here == bytes && pin.Unreadable == 0 ? PinState.Kept
                : here < bytes && pin.Chunks.All(IsHereOrNowhere) ? PinState.Lacking
                : ifMissing;
            all.Add((pin.Pin, new PinSummary(pin.Path, pin.Pin.RecentDays, state, pin.Files, bytes, here)));
        }

        _seen = all;
    }
}
