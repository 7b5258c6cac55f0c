using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

/// <summary>Keys on their way to a member (key wrap) and at rest (passphrase seal).</summary>
public sealed class SealedSecretTests
{
    private static readonly byte[] Shared = TestKeys.Bytes(1, 32);
    private static readonly byte[] Salt = TestKeys.Bytes(2, 32);
    private static readonly byte[] Secret = TestKeys.Bytes(3, 100);
    private static readonly byte[] Context = TestKeys.Bytes(4, 96);

    [Fact]
    public void A_wrapped_secret_opens_for_the_other_side_in_its_context_alone()
    {
        byte[] wrapped = KeyWrap.Wrap(Shared, Salt, Context, Secret);
        Assert.Equal(Secret, KeyWrap.Unwrap(Shared, Context, wrapped).Value);
        Assert.Equal(SealError.NotAuthentic, KeyWrap.Unwrap(Salt, Context, wrapped).Error);
        Assert.Equal(SealError.NotAuthentic, KeyWrap.Unwrap(Shared, Context.AsSpan(1), wrapped).Error);
        Assert.Equal(SealError.NotAuthentic, KeyWrap.Unwrap(Shared, [], wrapped).Error);
        Assert.NotEqual(wrapped, KeyWrap.Wrap(Shared, TestKeys.Bytes(9, 32), Context, Secret));
        Assert.Empty(KeyWrap.Unwrap(Shared, [], KeyWrap.Wrap(Shared, Salt, [], [])).Value);
    }

    [Fact]
    public void A_damaged_or_truncated_wrapping_is_a_typed_error()
    {
        CheckDamage(KeyWrap.Wrap(Shared, Salt, Context, Secret), bytes => KeyWrap.Unwrap(Shared, Context, bytes));
    }

    [Fact]
    public void A_passphrase_opens_what_it_sealed_and_another_does_not()
    {
        byte[] sealedBytes = PassphraseSeal.Seal("Ein Pass wörd 🗝", Salt.AsSpan(0, 16), 1000, Secret);
        Assert.Equal(Secret, PassphraseSeal.Open("Ein Pass wörd 🗝", sealedBytes).Value);
        Assert.Equal(SealError.NotAuthentic, PassphraseSeal.Open("Ein Pass wörd", sealedBytes).Error);
        Assert.Equal(SealError.NotAuthentic, PassphraseSeal.Open("", sealedBytes).Error);
    }

    [Fact]
    public void A_damaged_or_truncated_seal_is_a_typed_error()
    {
        byte[] sealedBytes = PassphraseSeal.Seal("x", Salt.AsSpan(0, 16), 1, Secret.AsSpan(0, 20));
        CheckDamage(sealedBytes, bytes => HasSaneRounds(bytes) ? PassphraseSeal.Open("x", bytes) : SealError.Malformed);
    }

    [Fact]
    public void A_seal_cannot_ask_for_hours_of_work()
    {
        byte[] sealedBytes = PassphraseSeal.Seal("x", Salt.AsSpan(0, 16), 1, Secret);
        BitConverter.TryWriteBytes(sealedBytes.AsSpan(1), PassphraseSeal.IterationsMax + 1);
        Assert.Equal(SealError.Malformed, PassphraseSeal.Open("x", sealedBytes).Error);
        BitConverter.TryWriteBytes(sealedBytes.AsSpan(1), -1);
        Assert.Equal(SealError.Malformed, PassphraseSeal.Open("x", sealedBytes).Error);
    }

    [Fact]
    public void Misuse_is_a_bug()
    {
        Assert.Throws<InvariantException>(() => KeyWrap.Wrap(Shared, Salt.AsSpan(1), Context, Secret));
        Assert.Throws<InvariantException>(() => KeyWrap.Wrap(Shared.AsSpan(1), Salt, Context, Secret));
        Assert.Throws<InvariantException>(() => PassphraseSeal.Seal("x", Salt, 1, Secret));
        Assert.Throws<InvariantException>(() => PassphraseSeal.Seal("x", Salt.AsSpan(0, 16), 0, Secret));
    }

    /// <summary>Flips in the round count would only make this test slow; the cap has a test of its own.</summary>
    private static bool HasSaneRounds(byte[] bytes) =>
        bytes.Length < 5 || BitConverter.ToInt32(bytes, 1) is > 0 and < 1000;

    private static void CheckDamage(byte[] sealedBytes, Func<byte[], Result<byte[], SealError>> open)
    {
        for (int length = 0; length < sealedBytes.Length; length++)
        {
            Assert.False(open(sealedBytes[..length]).IsOk, $"{length} bytes");
        }

        for (int bit = 0; bit < sealedBytes.Length * 8; bit++)
        {
            byte[] damaged = [.. sealedBytes];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(open(damaged).IsOk, $"bit {bit}");
        }

        byte[] newer = [.. sealedBytes];
        newer[0]++;
        Assert.Equal(SealError.NewerFormat, open(newer).Error);
        newer[0] = 0;
        Assert.Equal(SealError.Malformed, open(newer).Error);
    }
}
