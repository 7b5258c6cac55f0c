using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Replication;

/// <summary>Owed chunks that cannot be read here now: they stay owed, are named to the owner, and are tried again after a pause.</summary>
/// <remarks>
/// The device may have failed for a moment, and another node may have a copy, a cached one too. What is neither stays owed
/// until every member agreed that nobody needs it. Thread: the engine's loop; the disk is read on workers.
/// </remarks>
internal sealed class UnreadableChunks(NodePorts ports, ChunkStore store, NodeDiary diary)
{
    /// <summary>The stable word for the owner's problem.</summary>
    public const string Code = "owed-unreadable";

    private const int ShownMax = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LastPause = TimeSpan.FromMinutes(5);

    private readonly SortedDictionary<ChunkAddress, Entry> _chunks = [];
    private bool _isTrying;

    /// <summary>Fetches a chunk from any node that has it; set before anything is tried again.</summary>
    public Func<ChunkAddress, Task<Result<ChunkLease, VolumeError>>>? Fetch { get; set; }

    /// <summary>How many the disk was found not to give.</summary>
    public int Count => _chunks.Values.Count(entry => entry.Error is not null);

    /// <summary>What the owner is told; null when everything that is owed can be read.</summary>
    public NodeProblem? Problem
    {
        get
        {
            Entry[] bad = [.. _chunks.Values.Where(entry => entry.Error is not null)];
            if (bad.Length == 0)
            {
                return null;
            }

            string some = string.Join(", ", bad.Take(ShownMax).Select(entry => entry.Chunk.Address.Short));
            string more = bad.Length > ShownMax ? $" and {bad.Length - ShownMax} more" : string.Empty;
            return new NodeProblem(
                Code,
                $"Written here, not yet on enough nodes, and not to be read from this machine's disk now: {some}{more} "
                    + $"({bad[0].Error!.Value.Sentence}).",
                "It is tried again, and taken from any node that has it: connect all of them, and check this "
                    + "machine's disk.");
        }
    }

    /// <summary>A chunk that was set aside before this node started.</summary>
    public void Add(OwedChunk chunk, StoreError error) => Park(chunk, error);

    /// <summary>It is owed no more.</summary>
    public void Remove(OwedChunk chunk)
    {
        chunk.IsUnreadable = false;
        _chunks.Remove(chunk.Address);
    }

    /// <summary>Some chunks could not be read together: each is looked at, and waits if it is it; all wait if none is.</summary>
    public async Task Look(IReadOnlyList<OwedChunk> chunks)
    {
        StoreError?[] errors = await ports.Workers.Run(
            Ports.WorkPriority.Background, () => chunks.Select(chunk => ErrorOf(chunk.Address)).ToArray());
        bool isAny = errors.Any(error => error is not null);
        for (int i = 0; i < errors.Length; i++)
        {
            if (chunks[i].IsOwed && (errors[i] is not null || !isAny))
            {
                Park(chunks[i], errors[i]);
            }
        }
    }

    /// <summary>Tries those whose pause is over.</summary>
    /// <returns>Those that can be read again.</returns>
    public async Task<List<OwedChunk>> TryAgain()
    {
        List<OwedChunk> back = [];
        if (_isTrying)
        {
            return back;
        }

        _isTrying = true;
        try
        {
            foreach (Entry entry in _chunks.Values.Where(IsDue).ToArray())
            {
                StoreError? error = await ErrorNow(entry.Chunk.Address);
                if (!_chunks.TryGetValue(entry.Chunk.Address, out Entry? now) || now != entry)
                {
                    continue;
                }

                entry.Since = ports.Time.GetTimestamp();
                entry.Pause = entry.Pause * 2 < LastPause ? entry.Pause * 2 : LastPause;
                entry.Error = error;
                if (error is null)
                {
                    Remove(entry.Chunk);
                    back.Add(entry.Chunk);
                }
            }
        }
        finally
        {
            _isTrying = false;
        }

        return back;
    }

    private void Park(OwedChunk chunk, StoreError? error)
    {
        chunk.IsUnreadable = true;
        if (_chunks.TryAdd(chunk.Address, new Entry(chunk) { Error = error, Since = ports.Time.GetTimestamp() })
            && error is { } why)
        {
            diary.Add(LogLevel.Error, "replicate", $"{chunk.Address.Short} cannot be sent, and stays owed: {why}");
        }
    }

    private bool IsDue(Entry entry) => ports.Time.GetElapsedTime(entry.Since) >= entry.Pause;

    private async Task<StoreError?> ErrorNow(ChunkAddress address)
    {
        StoreError? error = await ports.Workers.Run(
            Ports.WorkPriority.Background,
            () =>
            {
                store.Aside.TryAgain(RecordKey.Copy(address));
                return ErrorOf(address);
            });
        if (error is null || Fetch is null)
        {
            return error;
        }

        Result<ChunkLease, VolumeError> fetched = await Fetch(address);
        if (!fetched.TryGet(out ChunkLease? lease, out _))
        {
            return error;
        }

        using (lease)
        {
            return await ports.Workers.Run(
                Ports.WorkPriority.Background,
                () =>
                {
                    Result<Unit, StoreError> put =
                        store.Put(RecordKey.Copy(address), lease.Bytes.Span, ChunkUse.Staged);
                    return put.TryGet(out _, out StoreError refused) ? (StoreError?)null : refused;
                });
        }
    }

    /// <summary>Why a chunk cannot be read; what is bad is answered for no more.</summary>
    private StoreError? ErrorOf(ChunkAddress address) =>
        store.VerifyOrQuarantine(RecordKey.Copy(address)).TryGet(out _, out StoreError error) ? null : error;

    private sealed class Entry(OwedChunk chunk)
    {
        public OwedChunk Chunk { get; } = chunk;

        public StoreError? Error { get; set; }

        public long Since { get; set; }

        public TimeSpan Pause { get; set; } = FirstPause;
    }
}
