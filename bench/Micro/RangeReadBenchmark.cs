using BenchmarkDotNet.Attributes;
using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Bench.Micro;

/// <summary>What a random read costs in coding: open a range of a stored chunk of 1 MiB, and of a journal extent.</summary>
[MemoryDiagnoser]
public class RangeReadBenchmark : IDisposable
{
    private const int ChunkBytes = 1024 * 1024;

    private readonly VolumeKeyring _keys;
    private readonly ChunkRef _chunk;
    private readonly byte[] _stored;
    private readonly byte[] _extent;
    private readonly byte[] _opened = new byte[ChunkBytes];
    private readonly ExtentCipher _cipher;
    private readonly ulong _nonce;

    public RangeReadBenchmark()
    {
        Prng random = new(1);
        byte[] plain = new byte[ChunkBytes];
        byte[] key = new byte[DedupSecret.Size];
        random.Fill(plain);
        random.Fill(key);
        _keys = new VolumeKeyring(default, new DedupSecret(key), new EpochKey(default, key));
        _stored = new byte[ChunkCodec.StoredLength(ChunkBytes)];
        _chunk = ChunkCodec.Encode(_keys, ChunkHasher.Id(_keys.Dedup, plain), plain, _stored);
        _cipher = new ExtentCipher(key, default);
        _extent = new byte[ExtentCipher.SealedLength(ChunkBytes)];
        _nonce = _cipher.Seal([], plain, _extent);
    }

    /// <summary>Bytes a call reads.</summary>
    [Params(4096, 128 * 1024, ChunkBytes)]
    public int Length { get; set; }

    [Benchmark]
    public bool Chunk()
    {
        int offset = ChunkBytes - Length;
        StoredRange range = ChunkCodec.RangeOf(_chunk, offset, Length);
        ReadOnlySpan<byte> stored = _stored.AsSpan(range.Offset, range.Length);
        return ChunkCodec.DecodeRange(_keys, _chunk, offset, stored, _opened.AsSpan(0, Length)).IsOk;
    }

    [Benchmark]
    public bool Extent()
    {
        int offset = ChunkBytes - Length;
        StoredRange range = ExtentCipher.RangeOf(ChunkBytes, offset, Length);
        ReadOnlySpan<byte> stored = _extent.AsSpan(range.Offset, range.Length);
        return _cipher.Open(_nonce, [], ChunkBytes, offset, stored, _opened.AsSpan(0, Length)).IsOk;
    }

    public void Dispose()
    {
        _cipher.Dispose();
        GC.SuppressFinalize(this);
    }
}
