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
/// that is there already, and is what it was, is not written again but held as staged until peers said that they have it.
/// A chunk that is condemned may be disappearing on other nodes while it is still here: it is not taken up again, its bytes
/// are stored as two halves.
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

        Result<bool, StoreError> put = Put(chunk.Address, stored);
        if (!put.TryGet(out bool isNew, out StoreError error))
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return error;
        }

        replication.Staged(chunk.Address, isNew, buffer, stored.Length);
        into.Append(chunk.Whole());
        return Unit.Value;
    }

    /// <summary>Stores the bytes of an address, unless they are here and good; says whether they were not here.</summary>
    private Result<bool, StoreError> Put(ChunkAddress address, ReadOnlySpan<byte> stored)
    {
        RecordKey key = isPrivate ? RecordKey.Private(address) : RecordKey.Copy(address);
        bool isNew = !store.Contains(key);
        if (!unnamed.Note(address).TryGet(out bool isFirst, out StoreError error))
        {
            return error;
        }

        if (!isNew && isFirst)
        {
            // What was stored long ago may have rotted, and this may be the last time that anybody has its bytes.
            _ = store.VerifyOrQuarantine(key);
        }

        Result<Unit, StoreError> put = store.Put(key, stored, isPrivate ? ChunkUse.Replicated : ChunkUse.Staged);
        return put.IsOk ? isNew : put.Error;
    }
}
