using Cairn.Core.Primitives;

namespace Cairn.Node.Ports;

/// <summary>This node's identity key (ECDSA/ECDH P-256): it signs log blocks and node records and opens wrapped keys.</summary>
/// <remarks>The private key stays behind this port, so that a locked node has none and a hardware key can take its place.</remarks>
public interface IIdentity
{
    /// <summary>The hash of <see cref="PublicKey"/>.</summary>
    NodeId Node { get; }

    /// <summary>SubjectPublicKeyInfo.</summary>
    ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>ECDSA P-256 over SHA-256 of <paramref name="data"/>, IEEE P1363, 64 bytes.</summary>
    void Sign(ReadOnlySpan<byte> data, Span<byte> signature);

    /// <summary>ECDH with a peer's public key: 32 bytes of raw shared secret, to be put through HKDF.</summary>
    /// <returns>False when the peer's key is not a valid P-256 key.</returns>
    bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret);
}
