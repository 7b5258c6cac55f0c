using Cairn.Coding.Chunking;
using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;

namespace Cairn.Coding.Tests.Encryption;

/// <summary>What the hot paths allocate, in bytes: nothing that grows with the data.</summary>
public sealed class AllocationTests
{
    /// <summary>The system's cipher context and its two wrappers; the base library has no way to re-key one.</summary>
    private const long CipherContextMax = 128;

    private static readonly VolumeKeyring Keys = TestKeys.Keyring();
    private static readonly byte[] Plain = TestKeys.Bytes(1, 1024 * 1024);

    [Fact]
    public void Cutting_and_hashing_allocate_nothing()
    {
        FastCdc cutter = new(GearTable.Derive(Keys.Dedup), ChunkerOptions.Default);
        Assert.Equal(0, BytesPerCall(() => cutter.NextCut(Plain, isLast: true)));
        Assert.Equal(0, BytesPerCall(() => ChunkHasher.Id(Keys.Dedup, Plain)));
        Assert.Equal(0, BytesPerCall(() => ChunkHasher.Address(Plain)));
    }

    [Fact]
    public void Sealing_a_chunk_allocates_its_reference_and_a_cipher_context_whatever_its_length()
    {
        byte[] stored = new byte[ChunkCodec.StoredLength(Plain.Length)];
        int small = ChunkCodec.StoredLength(1000);
        long reference = BytesPerCall(() => new ChunkRef(default, default, default, 1, 1, ChunkEncoding.Raw));
        long large = BytesPerCall(() => ChunkCodec.Encode(Keys, default, Plain, stored));
        long little = BytesPerCall(() =>
            ChunkCodec.Encode(Keys, default, Plain.AsSpan(0, 1000), stored.AsSpan(0, small)));
        Assert.InRange(large, 1, reference + CipherContextMax);
        Assert.Equal(large, little);
    }

    [Fact]
    public void Opening_allocates_a_cipher_context_whatever_the_length()
    {
        (ChunkRef chunk, byte[] stored) = ChunkCodecTests.Seal(Keys, Plain);
        byte[] opened = new byte[Plain.Length];
        Assert.InRange(BytesPerCall(() => ChunkCodec.Decode(Keys, chunk, stored, opened)), 0, CipherContextMax);
        StoredRange range = ChunkCodec.RangeOf(chunk, 50_000, 4096);
        long ranged = BytesPerCall(() => ChunkCodec.DecodeRange(
            Keys, chunk, 50_000, stored.AsSpan(range.Offset, range.Length), opened.AsSpan(0, 4096)));
        Assert.InRange(ranged, 0, CipherContextMax);
    }

    [Fact]
    public void Extents_and_datagrams_allocate_nothing()
    {
        using ExtentCipher cipher = new(TestKeys.Bytes(2, 32), default);
        byte[] sealedBytes = new byte[ExtentCipher.SealedLength(Plain.Length)];
        byte[] opened = new byte[Plain.Length];
        ulong nonce = cipher.Seal([], Plain, sealedBytes);
        Assert.Equal(0, BytesPerCall(() => cipher.Open(nonce, [], Plain.Length, 0, sealedBytes, opened)));
        Assert.Equal(0, BytesPerCall(() => cipher.Seal([], Plain, sealedBytes)));

        using DatagramSender sender = new(TestKeys.Bytes(3, 32), default, default, 1);
        using DatagramReceiver receiver = new(TestKeys.Bytes(3, 32), default, default);
        byte[] datagram = new byte[100 + DatagramSender.Overhead];
        Assert.Equal(0, BytesPerCall(() =>
        {
            sender.Seal(Plain.AsSpan(0, 100), datagram);
            return receiver.Open(datagram, opened).Value;
        }));
    }

    [Fact]
    public void Locating_in_a_manifest_allocates_nothing()
    {
        Manifest manifest = Manifest.Of(new ManifestItem.Hole(10), new ManifestItem.Inline(new byte[10]));
        Assert.Equal(0, BytesPerCall(() => manifest.Locate(12)));
    }

    /// <summary>
    /// Of the best of a few runs: the runtime itself allocates a little while it compiles a loop better.
    /// </summary>
    private static long BytesPerCall<T>(Func<T> call)
    {
        const int Calls = 20;
        const int Runs = 5;
        T result = call();
        long least = long.MaxValue;
        for (int run = 0; run < Runs; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Calls; i++)
            {
                result = call();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        GC.KeepAlive(result);
        return (least + Calls - 1) / Calls;
    }
}
