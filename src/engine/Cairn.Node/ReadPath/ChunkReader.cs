using System.Buffers;
using Cairn.Coding.Encryption;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.ReadPath;

/// <summary>Opens ranges of a volume's chunks: from this node's store, else from the nodes that hold them.</summary>
/// <remarks>
/// A local range costs one lookup, one positional read and the touched segments (docs/ARCHITECTURE.md, life of a read). A
/// chunk that had to be fetched is kept as cached, so that the next range of it is local. Thread: any.
/// </remarks>
internal sealed class ChunkReader(
    Func<VolumeKeyring> keys, ChunkStore store, IChunkSource source, bool isPrivate)
{
    private readonly Dictionary<ChunkAddress, Task<Result<Unit, VolumeError>>> _fetching = [];

    /// <summary>Opens a range of a chunk that is here.</summary>
    /// <returns>Null when it is not here, or what is here is damaged: fetch it.</returns>
    public bool TryRead(ChunkRef chunk, int offset, Span<byte> plain)
    {
        StoredRange range = ChunkCodec.RangeOf(chunk, offset, plain.Length);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(range.Length);
        Span<byte> stored = buffer.AsSpan(0, range.Length);
        bool ok = store.Read(KeyOf(chunk.Address), range.Offset, stored).IsOk
            && ChunkCodec.DecodeRange(keys(), chunk, offset, stored, plain).IsOk;
        ArrayPool<byte>.Shared.Return(buffer);
        return ok;
    }

    /// <summary>Opens a range of a chunk, fetching the chunk when it is not here.</summary>
    public async ValueTask<Result<Unit, VolumeError>> Read(
        ChunkRef chunk, int offset, Memory<byte> plain, CancellationToken cancellation)
    {
        if (TryRead(chunk, offset, plain.Span))
        {
            return Unit.Value;
        }

        // A record that is here but cannot be opened must not hide the good copies elsewhere.
        RecordKey key = KeyOf(chunk.Address);
        if (store.Contains(key) && !store.Verify(key).TryGet(out _, out StoreError damage))
        {
            store.Quarantine(key, damage);
        }

        Result<Unit, VolumeError> kept = await FetchOnce(chunk.Address, cancellation);
        if (kept.IsOk && TryRead(chunk, offset, plain.Span))
        {
            return Unit.Value;
        }

        return kept.IsOk ? await ReadThrough(chunk, offset, plain, cancellation) : kept;
    }

    private RecordKey KeyOf(ChunkAddress address) =>
        isPrivate ? RecordKey.Private(address) : RecordKey.Copy(address);

    /// <summary>Readers of one chunk wait for one fetch.</summary>
    private Task<Result<Unit, VolumeError>> FetchOnce(ChunkAddress address, CancellationToken cancellation)
    {
        lock (_fetching)
        {
            if (!_fetching.TryGetValue(address, out Task<Result<Unit, VolumeError>>? fetch))
            {
                fetch = FetchAndKeep(address, cancellation);
                if (!fetch.IsCompleted)
                {
                    _fetching.Add(address, fetch);
                }
            }

            return fetch;
        }
    }

    private async Task<Result<Unit, VolumeError>> FetchAndKeep(ChunkAddress address, CancellationToken cancellation)
    {
        try
        {
            Result<ChunkLease, VolumeError> fetched = await source.Fetch(address, cancellation);
            if (!fetched.TryGet(out ChunkLease? lease, out VolumeError error))
            {
                return error;
            }

            using (lease)
            {
                // Without room it is simply not kept: the reader asks once more and reads through.
                store.Put(RecordKey.Copy(address), lease.Bytes.Span, ChunkUse.Cached);
            }

            return Unit.Value;
        }
        finally
        {
            lock (_fetching)
            {
                _fetching.Remove(address);
            }
        }
    }

    private async ValueTask<Result<Unit, VolumeError>> ReadThrough(
        ChunkRef chunk, int offset, Memory<byte> plain, CancellationToken cancellation)
    {
        Result<ChunkLease, VolumeError> fetched = await source.Fetch(chunk.Address, cancellation);
        if (!fetched.TryGet(out ChunkLease? lease, out VolumeError error))
        {
            return error;
        }

        using (lease)
        {
            StoredRange range = ChunkCodec.RangeOf(chunk, offset, plain.Length);
            bool ok = lease.Bytes.Length >= range.Offset + range.Length
                && ChunkCodec.DecodeRange(
                    keys(), chunk, offset, lease.Bytes.Span.Slice(range.Offset, range.Length), plain.Span).IsOk;
            return ok ? Unit.Value : VolumeError.Corrupt;
        }
    }
}
