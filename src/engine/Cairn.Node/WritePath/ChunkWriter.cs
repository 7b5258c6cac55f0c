using System.Buffers;
using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.WritePath;

/// <summary>Turns plain bytes into stored chunks: id, encryption, address, store. One round of publishing at a time.</summary>
/// <remarks>
/// Deduplication needs no table: encoding 0 is deterministic, so equal bytes under one epoch have one address, and a record
/// that is there already is not written again but held as staged until peers said that they have it. A chunk that is condemned may be
/// disappearing on other nodes while it is still here: it is not taken up again, its bytes are stored as two halves.
/// The replicator hears of each chunk and sends some together while the next are cut, before the version that names it exists:
/// if that never comes, because the daemon dies, the draft is cut again and the peers have the chunks already; and if the
/// draft is another one by then, <see cref="UnnamedChunks"/> knows what is garbage.
/// </remarks>
internal sealed class ChunkWriter(
    Func<VolumeKeyring> currentKeys, ChunkStore store, CondemnedChunks condemned, UnnamedChunks unnamed,
    IReplicationQueue replication, bool isPrivate)
{
    /// <summary>Stores a chunk.</summary>
    /// <param name="plain">Its bytes.</param>
    /// <param name="into">Gets the item, or items, that stand for the bytes.</param>
    public Result<Unit, StoreError> Put(ReadOnlySpan<byte> plain, ManifestBuilder into)
    {
        VolumeKeyring keys = currentKeys();
        ChunkId id = ChunkHasher.Id(keys.Dedup, plain);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkCodec.StoredLength(plain.Length));
        Span<byte> stored = buffer.AsSpan(0, ChunkCodec.StoredLength(plain.Length));
        ChunkRef chunk = ChunkCodec.Encode(keys, id, plain, stored);
        if (condemned.Contains(chunk.Address) && plain.Length > 1)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            Result<Unit, StoreError> first = Put(plain[..(plain.Length / 2)], into);
            return first.IsOk ? Put(plain[(plain.Length / 2)..], into) : first;
        }

        RecordKey key = isPrivate ? RecordKey.Private(chunk.Address) : RecordKey.Copy(chunk.Address);
        bool isNew = !store.Contains(key);
        Result<Unit, StoreError> put = unnamed.Note(chunk.Address);
        if (put.IsOk)
        {
            put = store.Put(key, stored, isPrivate ? ChunkUse.Replicated : ChunkUse.Staged);
        }

        if (!put.IsOk)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return put.Error;
        }

        replication.Staged(chunk.Address, isNew, buffer, stored.Length);
        into.Append(chunk.Whole());
        return put;
    }
}
