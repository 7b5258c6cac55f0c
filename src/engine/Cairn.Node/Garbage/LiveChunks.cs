using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Records;
using Cairn.Node.Logs;
using Cairn.Node.Volumes;

namespace Cairn.Node.Garbage;

/// <summary>
/// Finds which of some chunks a volume still needs: walks every version the tree knows, while the volume is in use.
/// </summary>
/// <remarks>
/// What snapshots show beside the present is walked last: what changes during the walk was looked at before it came
/// there. What changes during the walk is noted as it changes (<see cref="NoteWritten"/>, <see cref="NoteChanged"/>)
/// and looked at again at the end, under the gate, so that the answer holds at that very moment.
/// Thread: one walk at a time, from one loop; the notes come under the log's gate.
/// </remarks>
internal sealed class LiveChunks(ReplicatedLog log, TreeQueries queries, IVolumeRoots roots)
{
    private const int ObjectsPerStep = 256;
    private const int StepsPerTurn = 16;

    private readonly List<ReadOnlyMemory<byte>> _touched = [];
    private bool _walking;

    /// <summary>Takes note of this node's own versions.</summary>
    public void NoteWritten(ImmutableArray<Primitive> primitives)
    {
        if (!_walking)
        {
            return;
        }

        foreach (Primitive primitive in primitives)
        {
            if (primitive is WriteVersion version)
            {
                _touched.Add(version.Manifest);
            }
        }
    }

    /// <summary>Takes note of what other nodes changed.</summary>
    public void NoteChanged(IReadOnlyList<byte[]> keys)
    {
        if (!_walking)
        {
            return;
        }

        foreach (byte[] key in keys)
        {
            if (key.Length > 0 && key[0] == TreeKeys.Object && TreeKeys.TryParseObject(key, out ObjectId id))
            {
                RecordRoots.AddHeads(queries, id, _touched);
            }
            else if (log.Fold.Table.Get(key) is { } value)
            {
                _touched.AddRange(KeptRecord.ManifestsIn(key, value));
            }
        }
    }

    /// <summary>The chunks of some encoded roots; false when one cannot be understood, or a large manifest not read now.</summary>
    public async ValueTask<bool> ChunksOf(
        IReadOnlyList<ReadOnlyMemory<byte>> encodedRoots, Action<ChunkRef> found, CancellationToken cancellation)
    {
        foreach (ReadOnlyMemory<byte> encoded in encodedRoots)
        {
            if (encoded.IsEmpty)
            {
                continue;
            }

            if (!ManifestRootCodec.Decode(encoded.Span).TryGet(out ManifestRoot? root, out _))
            {
                return false;
            }

            foreach (ChunkRef chunk in root.DirectChunks())
            {
                found(chunk);
            }

            if (root is ManifestRoot.Chunked && !await ListedBy(encoded, found, cancellation))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The chunks that the large manifest behind an encoded root lists; false when it cannot be read now.</summary>
    public async ValueTask<bool> ListedBy(
        ReadOnlyMemory<byte> encodedRoot, Action<ChunkRef> found, CancellationToken cancellation)
    {
        Result<Manifest, VolumeError> loaded = await roots.Load(encodedRoot, cancellation);
        if (!loaded.IsOk)
        {
            return false;
        }

        foreach (ChunkRef chunk in loaded.Value.Chunks())
        {
            found(chunk);
        }

        return true;
    }

    /// <summary>The next records of the tree that name chunks, each with the roots in it; none at the end.</summary>
    /// <param name="after">The key of the last one that is done; empty for none.</param>
    public List<TreeRecord> RecordsAfter(ReadOnlyMemory<byte> after)
    {
        List<TreeRecord> records = [];
        lock (log.Gate)
        {
            byte[] from = after.IsEmpty ? [TreeKeys.Object] : [.. after.Span, 0];
            TableCursor cursor = log.Fold.Table.Scan(from, KeptRecord.End.Span);
            while (records.Count < ObjectsPerStep && cursor.MoveNext())
            {
                List<ReadOnlyMemory<byte>> roots = [];
                RecordRoots.Add(queries, cursor.Key, cursor.Value, roots);
                records.Add(new TreeRecord(cursor.Key, roots));
            }
        }

        return records;
    }

    /// <summary>Takes out of <paramref name="candidates"/> what is needed, then acts under the gate.</summary>
    /// <param name="candidates">Shrinks to what nothing refers to.</param>
    /// <param name="isGone">Objects and versions that do not count: they are being condemned.</param>
    /// <param name="needed">Told each candidate that is needed, and whether the tree needs it or a file that is open here.</param>
    /// <param name="act">
    /// Called under the gate at a moment at which the answer is exact; not called when it cannot be given.
    /// </param>
    public async ValueTask<bool> Sift(
        HashSet<ChunkAddress> candidates, GoneSet isGone, Action<ChunkAddress, ChunkNeed> needed, Action act,
        CancellationToken cancellation)
    {
        void Keep(ChunkRef chunk, ChunkNeed need)
        {
            if (candidates.Remove(chunk.Address))
            {
                needed(chunk.Address, need);
            }
        }

        ValueTask<bool> Look(IReadOnlyList<ReadOnlyMemory<byte>> encodedRoots, ChunkNeed need) =>
            ChunksOf(encodedRoots, chunk => Keep(chunk, need), cancellation);

        lock (log.Gate)
        {
            _walking = true;
            _touched.Clear();
        }

        try
        {
            byte[]? after = [];
            for (int steps = 1; after is not null && candidates.Count > 0; steps++)
            {
                cancellation.ThrowIfCancellationRequested();
                if (steps % StepsPerTurn == 0)
                {
                    // Of a million files a walk takes seconds, and other work is on this loop, too.
                    await Task.Yield();
                }

                var step = new List<ReadOnlyMemory<byte>>();
                after = Step(after, isGone, step);
                if (!await Look(step, ChunkNeed.Tree))
                {
                    return false;
                }
            }

            while (true)
            {
                List<ReadOnlyMemory<byte>> rest;
                List<ReadOnlyMemory<byte>> open;
                lock (log.Gate)
                {
                    if (candidates.Count == 0 || (_touched.Count == 0 && isGone.OpenRootsSeen))
                    {
                        act();
                        return true;
                    }

                    rest = [.. _touched];
                    open = [.. roots.OpenRoots()];
                    isGone.OpenRootsSeen = true;
                    _touched.Clear();
                }

                if (!await Look(rest, ChunkNeed.Tree) || !await Look(open, ChunkNeed.OpenFile))
                {
                    return false;
                }
            }
        }
        finally
        {
            lock (log.Gate)
            {
                _walking = false;
                _touched.Clear();
            }
        }
    }

    private byte[]? Step(byte[] after, GoneSet isGone, List<ReadOnlyMemory<byte>> into)
    {
        lock (log.Gate)
        {
            byte[] from = after.Length == 0 ? [TreeKeys.Object] : [.. after, 0];
            TableCursor cursor = log.Fold.Table.Scan(from, KeptRecord.End.Span);
            byte[]? last = null;
            int count = 0;
            while (count < ObjectsPerStep && cursor.MoveNext())
            {
                last = cursor.Key;
                count++;
                RecordRoots.Add(queries, cursor.Key, cursor.Value, isGone, into);
            }

            return count < ObjectsPerStep ? null : last;
        }
    }
}

/// <summary>What needs a chunk.</summary>
internal enum ChunkNeed
{
    /// <summary>A version that the tree knows.</summary>
    Tree,

    /// <summary>Only a file that is open here.</summary>
    OpenFile,
}

/// <summary>A record of the tree and the encoded manifest roots in it.</summary>
internal readonly record struct TreeRecord(byte[] Key, IReadOnlyList<ReadOnlyMemory<byte>> Roots);

/// <summary>What a walk does not count, because it is about to be condemned.</summary>
internal sealed class GoneSet
{
    /// <summary>Detached objects.</summary>
    public HashSet<ObjectId> Objects { get; } = [];

    /// <summary>Superseded versions.</summary>
    public HashSet<VersionRef> Versions { get; } = [];

    /// <summary>Records that were kept for snapshots, by their keys.</summary>
    public HashSet<byte[]> Kept { get; } = new(ByteKeyComparer.Instance);

    /// <summary>The part of the table that <see cref="Kept"/> was looked for in; null for none.</summary>
    public SweepKept? Sweep { get; set; }

    /// <summary>Whether anything is to be condemned.</summary>
    public bool IsEmpty => Objects.Count + Versions.Count + Kept.Count == 0;

    /// <summary>Whether the roots of open files were looked at since the last change.</summary>
    public bool OpenRootsSeen { get; set; }
}
