using System.Security.Cryptography;
using Cairn.Core.Membership;
using Cairn.Io.Identity;

namespace Cairn.Io.Tests.Identity;

public sealed class FileIdentityTests
{
    [Fact]
    public void A_signature_is_checked_by_the_public_key_alone()
    {
        using var identity = FileIdentity.Generate();
        byte[] signature = new byte[64];
        identity.Sign("data"u8, signature);
        Assert.True(Signatures.CheckEcdsa(identity.PublicKey.Span, "data"u8, signature));
        Assert.False(Signatures.CheckEcdsa(identity.PublicKey.Span, "other"u8, signature));
        Assert.Equal(SHA256.HashData(identity.PublicKey.Span), identity.Node.Value.ToArray());
    }

    [Fact]
    public void Both_sides_agree_on_one_secret()
    {
        using var a = FileIdentity.Generate();
        using var b = FileIdentity.Generate();
        byte[] atA = new byte[32];
        byte[] atB = new byte[32];
        Assert.True(a.TryAgree(b.PublicKey.Span, atA));
        Assert.True(b.TryAgree(a.PublicKey.Span, atB));
        Assert.Equal(atA, atB);
        Assert.NotEqual(new byte[32], atA);
    }

    [Fact]
    public void A_key_that_is_no_P256_key_is_refused()
    {
        using var identity = FileIdentity.Generate();
        using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
        byte[] secret = new byte[32];
        Assert.False(identity.TryAgree(other.ExportSubjectPublicKeyInfo(), secret));
        Assert.False(identity.TryAgree("garbage"u8, secret));
        byte[] offCurve = identity.PublicKey.ToArray();
        offCurve[^1] ^= 1;
        Assert.False(identity.TryAgree(offCurve, secret));
        Assert.False(identity.TryAgree([.. identity.PublicKey.Span, 0], secret));
        Assert.False(identity.TryAgree(default, secret));
        Assert.Null(FileIdentity.FromPkcs8(other.ExportPkcs8PrivateKey()));
        Assert.Null(FileIdentity.FromPkcs8("garbage"u8));
    }

    [Fact]
    public void The_private_key_carries_the_identity()
    {
        using var identity = FileIdentity.Generate();
        using FileIdentity? again = FileIdentity.FromPkcs8(identity.ExportPkcs8());
        Assert.Equal(identity.Node, again!.Node);
        Assert.Equal(identity.PublicKey.ToArray(), again.PublicKey.ToArray());
    }

    [Fact]
    public void Threads_may_sign_at_once()
    {
        using var identity = FileIdentity.Generate();
        Parallel.For(0, 200, number =>
        {
            byte[] data = BitConverter.GetBytes(number);
            byte[] signature = new byte[64];
            identity.Sign(data, signature);
            Assert.True(Signatures.CheckEcdsa(identity.PublicKey.Span, data, signature));
        });
    }
}
