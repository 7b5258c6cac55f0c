using System.Security.Cryptography;
using Cairn.Coding.Signatures;

namespace Cairn.Coding.Tests.Signatures;

public sealed class VerifyingKeyTests
{
    private static readonly byte[] Data = TestKeys.Bytes(1, 1000);

    [Fact]
    public void A_signature_is_good_for_its_bytes_and_key_alone()
    {
        using ECDsa signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] publicKey = signer.ExportSubjectPublicKeyInfo();
        byte[] signature = signer.SignData(Data, HashAlgorithmName.SHA256);
        Assert.True(VerifyingKey.TryImport(publicKey, out VerifyingKey? key));
        using (key)
        {
            Assert.Equal(VerifyingKey.NodeOf(publicKey), key.Node);
            Assert.Equal(new NodeIdOf(publicKey).Hex, key.Node.ToString());
            Assert.True(key.Verify(Data, signature));
            Assert.False(key.Verify(Data.AsSpan(1), signature));
            Assert.False(key.Verify(Data, signature.AsSpan(1)));
            Assert.False(key.Verify(Data, []));
            for (int bit = 0; bit < signature.Length * 8; bit += 7)
            {
                signature[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.False(key.Verify(Data, signature));
                signature[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void What_is_not_a_P256_key_is_refused()
    {
        using ECDsa signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] publicKey = signer.ExportSubjectPublicKeyInfo();
        for (int length = 0; length < publicKey.Length; length++)
        {
            Assert.False(VerifyingKey.TryImport(publicKey.AsSpan(0, length), out _));
        }

        Assert.False(VerifyingKey.TryImport([.. publicKey, 0], out _));
        for (ulong seed = 0; seed < 100; seed++)
        {
            Assert.False(VerifyingKey.TryImport(TestKeys.Bytes(seed, 91), out _));
            byte[] offCurve = [.. publicKey];
            offCurve[^(1 + (int)(seed % 60))] ^= 1;
            Assert.False(VerifyingKey.TryImport(offCurve, out _), "a point that is not on the curve");
        }

        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.False(VerifyingKey.TryImport(other.ExportSubjectPublicKeyInfo(), out _));
    }

    private sealed record NodeIdOf(byte[] PublicKey)
    {
        public string Hex => Convert.ToHexStringLower(SHA256.HashData(PublicKey));
    }
}
