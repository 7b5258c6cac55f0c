using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

public sealed class ExtentCipherTests
{
    private static readonly byte[] Secret = TestKeys.Bytes(1, 32);
    private static readonly Bytes16 Run = new(TestKeys.Bytes(2, 16));
    private static readonly byte[] Place = TestKeys.Bytes(3, 24);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(16384)]
    [InlineData(16385)]
    [InlineData(1024 * 1024)]
    public void A_sealed_extent_opens_after_a_restart(int length)
    {
        byte[] plain = TestKeys.Bytes(4, length);
        using ExtentCipher writing = new(Secret, Run);
        writing.Seal(Place, [1, 2, 3], new byte[ExtentCipher.SealedLength(3)]);
        byte[] sealedBytes = new byte[ExtentCipher.SealedLength(length)];
        ulong nonce = writing.Seal(Place, plain, sealedBytes);

        using ExtentCipher reading = new(Secret, Run);
        byte[] opened = new byte[length];
        Assert.True(reading.Open(nonce, Place, length, 0, sealedBytes, opened).IsOk);
        Assert.Equal(plain, opened);
        Assert.Equal(Run, writing.Run);
    }

    [Fact]
    public void Any_range_opens_from_the_sealed_bytes_it_names()
    {
        byte[] plain = TestKeys.Bytes(5, 100_000);
        byte[] sealedBytes = new byte[ExtentCipher.SealedLength(plain.Length)];
        using ExtentCipher cipher = new(Secret, Run);
        ulong nonce = cipher.Seal(Place, plain, sealedBytes);
        Prng random = new(6);
        for (int round = 0; round < 500; round++)
        {
            int offset = random.Next(plain.Length);
            int length = 1 + random.Next(plain.Length - offset);
            StoredRange range = ExtentCipher.RangeOf(plain.Length, offset, length);
            byte[] opened = new byte[length];
            ReadOnlySpan<byte> bytes = sealedBytes.AsSpan(range.Offset, range.Length);
            Assert.True(cipher.Open(nonce, Place, plain.Length, offset, bytes, opened).IsOk);
            Assert.True(plain.AsSpan(offset, length).SequenceEqual(opened));
        }
    }

    [Fact]
    public void No_nonce_is_used_twice_in_a_run_and_every_run_has_its_own_key()
    {
        using ExtentCipher cipher = new(Secret, Run);
        byte[] plain = new byte[40_000];
        byte[] sealedBytes = new byte[ExtentCipher.SealedLength(plain.Length)];
        ulong next = 0;
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(next, cipher.Seal(Place, plain, sealedBytes));
            next += 3;
        }

        using ExtentCipher other = new(Secret, new Bytes16(TestKeys.Bytes(7, 16)));
        byte[] otherSealed = new byte[sealedBytes.Length];
        other.Seal(Place, plain, otherSealed);
        using ExtentCipher again = new(Secret, Run);
        again.Seal(Place, plain, sealedBytes);
        Assert.False(sealedBytes.AsSpan(0, 16).SequenceEqual(otherSealed.AsSpan(0, 16)));
        Assert.Equal(SealError.NotAuthentic, other.Open(0, Place, 40_000, 0, sealedBytes, plain).Error);
    }

    [Fact]
    public void Threads_may_seal_and_open_at_once()
    {
        using ExtentCipher cipher = new(Secret, Run);
        HashSet<ulong> nonces = [];
        Thread[] threads = new Thread[6];
        List<Exception> failures = [];
        for (int t = 0; t < threads.Length; t++)
        {
            byte[] plain = TestKeys.Bytes((ulong)t, 20_000);
            threads[t] = new Thread(() => RunOne(plain));
            threads[t].Start();
        }

        Array.ForEach(threads, thread => thread.Join());
        Assert.Empty(failures);
        Assert.Equal(600, nonces.Count);

        void RunOne(byte[] plain)
        {
            byte[] sealedBytes = new byte[ExtentCipher.SealedLength(plain.Length)];
            byte[] opened = new byte[plain.Length];
            for (int i = 0; i < 100; i++)
            {
                ulong nonce = cipher.Seal(Place, plain, sealedBytes);
                bool ok = cipher.Open(nonce, Place, plain.Length, 0, sealedBytes, opened).IsOk;
                lock (nonces)
                {
                    nonces.Add(nonce);
                    if (!ok || !opened.AsSpan().SequenceEqual(plain))
                    {
                        failures.Add(new InvariantException($"round {i}"));
                    }
                }
            }
        }
    }

    [Fact]
    public void Wrong_place_nonce_length_or_bytes_are_refused()
    {
        byte[] plain = TestKeys.Bytes(8, 200);
        byte[] sealedBytes = new byte[ExtentCipher.SealedLength(plain.Length)];
        using ExtentCipher cipher = new(Secret, Run);
        ulong nonce = cipher.Seal(Place, plain, sealedBytes);
        byte[] opened = new byte[200];
        Assert.Equal(SealError.NotAuthentic, cipher.Open(nonce + 1, Place, 200, 0, sealedBytes, opened).Error);
        Assert.Equal(SealError.NotAuthentic, cipher.Open(nonce, Secret, 200, 0, sealedBytes, opened).Error);
        Assert.Equal(SealError.NotAuthentic, cipher.Open(nonce, [], 200, 0, sealedBytes, opened).Error);
        for (int bit = 0; bit < sealedBytes.Length * 8; bit++)
        {
            sealedBytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(SealError.NotAuthentic, cipher.Open(nonce, Place, 200, 0, sealedBytes, opened).Error);
            sealedBytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < sealedBytes.Length; length++)
        {
            Assert.Equal(
                SealError.WrongLength, cipher.Open(nonce, Place, 200, 0, sealedBytes.AsSpan(0, length), opened).Error);
        }
    }
}
