using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node.Pool;

/// <summary>The pool log's keyring at rest: sealed under this node's own identity key.</summary>
internal static class PoolKeys
{
    /// <summary>Seals a keyring so that only this node opens it.</summary>
    public static byte[] SealToSelf(NodePorts ports, PoolId pool, VolumeKeyring keyring)
    {
        Span<byte> salt = stackalloc byte[KeyWrap.SaltSize];
        ports.Entropy.Fill(salt);
        return KeyWrap.Wrap(OwnSecret(ports.Identity), salt, Context(ports.Identity, pool), keyring.Encode());
    }

    /// <summary>Opens it; null when it was sealed by another key or is damaged.</summary>
    public static VolumeKeyring? Open(IIdentity identity, PoolId pool, ReadOnlySpan<byte> wrapped) =>
        KeyWrap.Unwrap(OwnSecret(identity), Context(identity, pool), wrapped).TryGet(out byte[]? plain, out _)
        && VolumeKeyring.Decode(plain).TryGet(out VolumeKeyring? keyring, out _)
            ? keyring
            : null;

    private static byte[] Context(IIdentity identity, PoolId pool) =>
        KeyGrants.KeyringContext(pool, identity.Node, identity.Node);

    private static byte[] OwnSecret(IIdentity identity)
    {
        byte[] shared = new byte[KeyWrap.SharedSecretSize];
        bool agreed = identity.TryAgree(identity.PublicKey.Span, shared);
        Invariant.That(agreed, "a node's own key is a valid key");
        return shared;
    }
}
