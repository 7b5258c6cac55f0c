using System.Buffers;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>Which side of an invite proves that it knows the secret.</summary>
public enum InviteRole : byte
{
    /// <summary>The member that made the code.</summary>
    Inviter = 1,

    /// <summary>The newcomer.</summary>
    Joiner = 2,
}

/// <summary>
/// The proof both sides of an invite give each other inside TLS: HMAC(secret, role, both public keys).
/// </summary>
/// <remarks>
/// Format: docs/formats/invite-code.md. Because both identity keys are in it, a man in the middle who holds neither key
/// cannot pass one side's proof on to the other; because the role is in it, neither side's proof can be sent back.
/// The joiner proves first, so that a stranger learns nothing by connecting.
/// </remarks>
public static class InviteProof
{
    /// <summary>Bytes of a proof.</summary>
    public const int Size = HMACSHA256.HashSizeInBytes;

    /// <summary>Works out a side's proof.</summary>
    /// <param name="secret">The code's secret.</param>
    /// <param name="role">Whose proof.</param>
    /// <param name="inviterKey">The inviter's identity key (SubjectPublicKeyInfo), as TLS proved it.</param>
    /// <param name="joinerKey">The newcomer's.</param>
    public static byte[] Compute(
        Bytes16 secret, InviteRole role, ReadOnlySpan<byte> inviterKey, ReadOnlySpan<byte> joinerKey)
    {
        ArrayBufferWriter<byte> transcript = new(256);
        WireWriter writer = new(transcript);
        writer.Raw("cairn invite\0"u8);
        writer.Byte(InviteCode.Version);
        writer.Byte((byte)role);
        writer.LengthPrefixed(inviterKey);
        writer.LengthPrefixed(joinerKey);
        Span<byte> key = stackalloc byte[Bytes16.Size];
        secret.CopyTo(key);
        return HMACSHA256.HashData(key, transcript.WrittenSpan);
    }

    /// <summary>Whether a received proof is right; takes the same time whatever it holds.</summary>
    /// <param name="secret">The code's secret.</param>
    /// <param name="role">Whose proof was received.</param>
    /// <param name="inviterKey">The inviter's identity key.</param>
    /// <param name="joinerKey">The newcomer's.</param>
    /// <param name="proof">What was received, of any length.</param>
    public static bool Verify(
        Bytes16 secret,
        InviteRole role,
        ReadOnlySpan<byte> inviterKey,
        ReadOnlySpan<byte> joinerKey,
        ReadOnlySpan<byte> proof) =>
        CryptographicOperations.FixedTimeEquals(Compute(secret, role, inviterKey, joinerKey), proof);

    /// <summary>
    /// What a newcomer says first, so that an inviter with several codes out knows which one is meant.
    /// </summary>
    public static Bytes16 TagOf(Bytes16 secret)
    {
        Span<byte> key = stackalloc byte[Bytes16.Size];
        secret.CopyTo(key);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, "cairn invite tag\0"u8, hash);
        return new Bytes16(hash[..Bytes16.Size]);
    }
}
