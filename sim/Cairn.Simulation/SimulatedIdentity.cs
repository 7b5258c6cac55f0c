using System.Security.Cryptography;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Simulation;

/// <summary>An identity key from a seed: the same seed is the same node. Never outside the simulator.</summary>
public sealed class SimulatedIdentity : IIdentity, IDisposable
{
    private readonly ECDsa _signing;
    private readonly ECDiffieHellman _agreement;
    private readonly RepeatableSignature _signatures;

    /// <summary>What was agreed with whom: every life of the machine asks again, for every peer and every key it was granted.</summary>
    private readonly Dictionary<Bytes32, byte[]?> _agreed = [];

    /// <summary>Derives the key.</summary>
    public SimulatedIdentity(ulong seed)
    {
        byte[] secret = new byte[32];
        new Prng(seed).Fill(secret);
        secret[0] &= 0x7F;
        ECParameters parameters = new() { Curve = ECCurve.NamedCurves.nistP256, D = secret };
        _signing = ECDsa.Create(parameters);
        _agreement = ECDiffieHellman.Create(parameters);
        _signatures = new RepeatableSignature(secret);
        byte[] publicKey = _signing.ExportSubjectPublicKeyInfo();
        PublicKey = publicKey;
        Node = new NodeId(SHA256.HashData(publicKey));
    }

    /// <inheritdoc/>
    public NodeId Node { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <inheritdoc/>
    public void Sign(ReadOnlySpan<byte> data, Span<byte> signature) => _signatures.Sign(data, signature);

    /// <inheritdoc/>
    public bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret)
    {
        Bytes32 peer = new(SHA256.HashData(peerPublicKey));
        if (!_agreed.TryGetValue(peer, out byte[]? secret))
        {
            secret = Agree(peerPublicKey);
            _agreed.Add(peer, secret);
        }

        secret?.CopyTo(sharedSecret);
        return secret is not null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _signing.Dispose();
        _agreement.Dispose();
    }

    private byte[]? Agree(ReadOnlySpan<byte> peerPublicKey)
    {
        try
        {
            using ECDiffieHellman peer = ECDiffieHellman.Create();
            peer.ImportSubjectPublicKeyInfo(peerPublicKey, out _);
            return _agreement.DeriveRawSecretAgreement(peer.PublicKey);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
