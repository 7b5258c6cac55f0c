namespace Cairn.Simulation.Tests;

/// <summary>Simulated signatures are real ones, and the same every time.</summary>
public sealed class RepeatableSignatureTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_signature_verifies_and_repeats(ulong seed)
    {
        using SimulatedIdentity identity = new(seed);
        using System.Security.Cryptography.ECDsa key = System.Security.Cryptography.ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(identity.PublicKey.Span, out _);
        for (int i = 0; i < 50; i++)
        {
            byte[] data = new byte[i * 7];
            byte[] first = new byte[64];
            byte[] again = new byte[64];
            identity.Sign(data, first);
            identity.Sign(data, again);
            Assert.Equal(first, again);
            Assert.True(key.VerifyData(data, first, System.Security.Cryptography.HashAlgorithmName.SHA256));
        }
    }
}
