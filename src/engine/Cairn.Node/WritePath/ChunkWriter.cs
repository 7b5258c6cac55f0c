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
/// that is there already is not written again but held as staged until it is safe. A chunk that is condemned may be
/// disappearing on other nodes while it is still here: it is not taken up again, its bytes are stored as two halves.
/// </remarks>
internal sealed class ChunkWriter(Func<VolumeKeyring> currentKeys, ChunkStore store, CondemnedChunks condemned)
{
    /// <summary>What was put since the last <see cref="TakeAddresses"/>.</summary>
    private readonly List<ChunkAddress> _addresses = [];

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

        Result<Unit, StoreError> put = store.Put(RecordKey.Copy(chunk.Address), stored, ChunkUse.Staged);
        ArrayPool<byte>.Shared.Return(buffer);
        if (!put.IsOk)
        {
            return put.Error;
        }

        _addresses.Add(chunk.Address);
        into.Append(chunk.Whole());
        return put;
    }

    /// <summary>The addresses put, for whoever replicates them.</summary>
    public ChunkAddress[] TakeAddresses()
    {
        ChunkAddress[] taken = [.. _addresses];
        _addresses.Clear();
        return taken;
    }
}
