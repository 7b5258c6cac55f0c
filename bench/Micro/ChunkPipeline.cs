using Cairn.Coding.Chunking;
using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Bench.Micro;

/// <summary>
/// What the write path does to bytes off the acknowledgement path, on one core: cut, name, seal, address.
/// </summary>
internal sealed class ChunkPipeline
{
    private readonly VolumeKeyring _keys;
    private readonly FastCdc _chunker;
    private readonly byte[] _stored = new byte[ChunkRef.StoredBytesMax];

    public ChunkPipeline(int dataBytes)
    {
        Prng random = new(1);
        byte[] key = new byte[32];
        random.Fill(key);
        DedupSecret dedup = new(key);
        random.Fill(key);
        _keys = new VolumeKeyring(default, dedup, new EpochKey(default, key));
        _chunker = new FastCdc(GearTable.Derive(dedup), ChunkerOptions.Default);
        Data = new byte[dataBytes];
        random.Fill(Data);
    }

    /// <summary>Incompressible bytes, more of them than the caches hold.</summary>
    public byte[] Data { get; }

    public int Chunks { get; private set; }

    /// <summary>Only the cuts.</summary>
    public int Cut()
    {
        int chunks = 0;
        for (ReadOnlySpan<byte> rest = Data; !rest.IsEmpty; chunks++)
        {
            rest = rest[_chunker.NextCut(rest, isLast: true)..];
        }

        return chunks;
    }

    /// <summary>Only the chunk ids, of pieces of 1 MiB.</summary>
    public ulong Identify() => Each(piece => ChunkHasher.Id(_keys.Dedup, piece).Value.Prefix);

    /// <summary>Only the addresses, of pieces of 1 MiB.</summary>
    public ulong Address() => Each(piece => ChunkHasher.Address(piece).Value.Prefix);

    /// <summary>Seal and address, of pieces of 1 MiB.</summary>
    public ulong Encode() => Each(piece =>
    {
        Span<byte> stored = _stored.AsSpan(0, ChunkCodec.StoredLength(piece.Length));
        return (ulong)ChunkCodec.Encode(_keys, default, piece, stored).StoredLength;
    });

    /// <summary>Everything.</summary>
    public ulong Run()
    {
        ulong sum = 0;
        Chunks = 0;
        for (ReadOnlySpan<byte> rest = Data; !rest.IsEmpty; Chunks++)
        {
            ReadOnlySpan<byte> plain = rest[.._chunker.NextCut(rest, isLast: true)];
            ChunkId id = ChunkHasher.Id(_keys.Dedup, plain);
            Span<byte> stored = _stored.AsSpan(0, ChunkCodec.StoredLength(plain.Length));
            ChunkRef chunk = ChunkCodec.Encode(_keys, id, plain, stored);
            sum ^= chunk.Address.Value.Prefix;
            rest = rest[plain.Length..];
        }

        return sum;
    }

    private ulong Each(Func<ReadOnlySpan<byte>, ulong> work)
    {
        ulong sum = 0;
        for (ReadOnlySpan<byte> rest = Data; !rest.IsEmpty;)
        {
            ReadOnlySpan<byte> piece = rest[..Math.Min(rest.Length, 1024 * 1024)];
            sum ^= work(piece);
            rest = rest[piece.Length..];
        }

        return sum;
    }
}
