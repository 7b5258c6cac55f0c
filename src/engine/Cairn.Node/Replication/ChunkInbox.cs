using Cairn.Coding.Hashing;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Replication;

/// <summary>Takes chunks from peers: verified once, written, synced in groups, then confirmed.</summary>
/// <remarks>
/// Nothing is confirmed before the sync that covers it, nor faster than the limit for receiving: a sender has only so many
/// unconfirmed bytes on the way, so it is held to the same rate. While one sync runs, what arrives meanwhile shares the next one.
/// Thread: the engine's loop; hashing, writing and syncing run on workers.
/// </remarks>
internal sealed class ChunkInbox(
    NodePorts ports, ChunkStore store, NodeDiary diary, RateLimiter limiter, Func<ChunkAddress, ChunkOutcome> answer)
{
    /// <summary>Bytes of one peer that wait to be written: three times what a sender lets be on the way.</summary>
    private const long WaitingBytesMax = 96L << 20;

    private readonly List<Written> _written = [];
    private readonly Dictionary<PeerLink, long> _waiting = [];
    private bool _commits;

    /// <summary>Chunks were stored that peers sent: the counters of owed and held change.</summary>
    public event Action? Stored;

    /// <summary>Whether a chunk is garbage that was removed here: it is not taken in again.</summary>
    public Func<ChunkAddress, bool> IsRemoved { get; init; } = static _ => false;

    /// <summary>A peer's chunks; the frame is disposed when they are written.</summary>
    public void OnPut(PeerLink link, ChunkPut message, IFrame frame)
    {
        long waiting = _waiting.GetValueOrDefault(link) + frame.Bytes.Length;
        if (waiting > WaitingBytesMax)
        {
            frame.Dispose();
            link.Close(GoodbyeReason.ProtocolError);
            return;
        }

        _waiting[link] = waiting;
        ports.Workers.Start("chunk put", () => Take(link, message, frame));
    }

    private async Task Take(PeerLink link, ChunkPut message, IFrame frame)
    {
        ChunkOutcome[] outcomes;
        int[] lengths = [.. message.Chunks.Select(static chunk => chunk.Stored.Length)];
        using (frame)
        {
            outcomes = await ports.Workers.Run(WorkPriority.Foreground, () => Write(message));
            Leave(link, frame.Bytes.Length);
        }

        // One by one: only the last goes on credit.
        foreach (int length in lengths)
        {
            await limiter.Wait(length);
        }

        _written.Add(new Written(link, message.Request, [.. message.Chunks.Select(chunk => chunk.Address)], outcomes));
        if (!_commits)
        {
            _commits = true;
            await CommitAll();
        }
    }

    private void Leave(PeerLink link, int bytes)
    {
        long left = _waiting[link] - bytes;
        if (left > 0)
        {
            _waiting[link] = left;
        }
        else
        {
            _waiting.Remove(link);
        }
    }

    private ChunkOutcome[] Write(ChunkPut message)
    {
        ChunkOutcome[] outcomes = new ChunkOutcome[message.Chunks.Count];
        for (int i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = WriteOne(message.Chunks[i]);
        }

        return outcomes;
    }

    private ChunkOutcome WriteOne(OfferedChunk chunk)
    {
        RecordKey key = RecordKey.Copy(chunk.Address);
        if (store.TryGet(key, out StoredRecord held) && held.Use != ChunkUse.Cached)
        {
            return ChunkOutcome.Held;
        }

        if (IsRemoved(chunk.Address))
        {
            return ChunkOutcome.Absent;
        }

        if (ChunkHasher.Address(chunk.Stored.Span) != chunk.Address)
        {
            return ChunkOutcome.Corrupt;
        }

        // What was only cached counted for nobody: the pool must not count on it because good bytes came and were not kept.
        if (held.Use == ChunkUse.Cached)
        {
            _ = store.VerifyOrQuarantine(key);
        }

        return OutcomeOf(store.Put(key, chunk.Stored.Span, ChunkUse.Replicated, isNew: true));
    }

    private async Task CommitAll()
    {
        while (_written.Count > 0)
        {
            Written[] batch = [.. _written];
            _written.Clear();
            Result<Unit, StoreError> synced = await ports.Workers.Run(WorkPriority.Foreground, store.Commit);
            if (!synced.TryGet(out _, out StoreError error))
            {
                diary.Add(LogLevel.Error, "chunk store", error.ToString());
            }

            foreach (Written put in batch)
            {
                put.Link.Send(new ChunkPutReply(
                    put.Request, synced.IsOk ? Confirmed(put) : Failed(put.Outcomes.Length)));
            }

            Stored?.Invoke();
        }

        _commits = false;
    }

    /// <summary>What is answered for now: a copy that was there already may be about to be given up.</summary>
    private ChunkOutcome[] Confirmed(Written put)
    {
        for (int i = 0; i < put.Outcomes.Length; i++)
        {
            put.Outcomes[i] =
                put.Outcomes[i] == ChunkOutcome.Held ? answer(put.Addresses[i]) : put.Outcomes[i];
        }

        return put.Outcomes;
    }

    private static ChunkOutcome[] Failed(int count)
    {
        ChunkOutcome[] outcomes = new ChunkOutcome[count];
        Array.Fill(outcomes, ChunkOutcome.DiskFailed);
        return outcomes;
    }

    private static ChunkOutcome OutcomeOf(Result<Unit, StoreError> put) =>
        put.TryGet(out _, out StoreError error) ? ChunkOutcome.Held
        : error.Kind is StoreErrorKind.NoSpace or StoreErrorKind.DiskFull ? ChunkOutcome.NoSpace
        : ChunkOutcome.DiskFailed;

    private sealed record Written(PeerLink Link, ulong Request, ChunkAddress[] Addresses, ChunkOutcome[] Outcomes);
}
