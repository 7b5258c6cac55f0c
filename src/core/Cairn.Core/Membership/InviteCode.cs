using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>Why a text is not an invite code.</summary>
public enum InviteCodeError
{
    /// <summary>Nothing was given.</summary>
    Empty,

    /// <summary>It is shorter than its beginning promises: part of it was not copied.</summary>
    Truncated,

    /// <summary>A character is wrong, added or swapped: copy it again.</summary>
    Garbled,

    /// <summary>A newer program made it. Upgrading this one helps.</summary>
    NewerFormat,
}

/// <summary>
/// What an invite carries: where the inviter listens, a little of its fingerprint, and a secret used once.
/// </summary>
/// <remarks>
/// Format: docs/formats/invite-code.md. Forty bits of fingerprint only catch a wrong address early; what keeps
/// strangers out, on either side, is <see cref="InviteProof"/>, which needs the 128-bit secret.
/// </remarks>
/// <param name="Address">Where the inviter listens.</param>
/// <param name="Fingerprint">The first 40 bits of the inviter's node id.</param>
/// <param name="Secret">128 random bits.</param>
public sealed record InviteCode(NodeAddress Address, ulong Fingerprint, Bytes16 Secret)
{
    /// <summary>The format written, and the newest one read.</summary>
    public const int Version = 1;

    private const int FingerprintBytes = 5;
    private const int ChecksumBytes = 2;
    private const int GroupLength = 6;
    private const int FixedBytes = 1 + FingerprintBytes + Bytes16.Size + ChecksumBytes;

    private enum AddressKind
    {
        V4 = 0,
        V6 = 1,
        Name = 2,
    }

    /// <summary>Makes a code for an inviter.</summary>
    /// <param name="address">Where it listens.</param>
    /// <param name="inviter">Its id.</param>
    /// <param name="secret">Fresh random bits.</param>
    public static InviteCode Create(NodeAddress address, NodeId inviter, Bytes16 secret) =>
        new(address, FingerprintOf(inviter), secret);

    /// <summary>Whether a node that answers at the address can be the inviter.</summary>
    public bool Matches(NodeId node) => FingerprintOf(node) == Fingerprint;

    /// <summary>The text people copy: 48 digits in groups of six for an IPv4 address.</summary>
    public override string ToString()
    {
        ArrayBufferWriter<byte> output = new(64);
        WireWriter writer = new(output);
        Span<byte> secret = stackalloc byte[Bytes16.Size];
        Secret.CopyTo(secret);
        (AddressKind kind, byte[] host) = SplitHost(Address.Host);
        writer.Byte((byte)((Version << 4) | (int)kind));
        if (kind == AddressKind.Name)
        {
            writer.Byte((byte)host.Length);
        }

        writer.Raw(host);
        writer.UInt16(Address.Port);
        for (int shift = 32; shift >= 0; shift -= 8)
        {
            writer.Byte((byte)(Fingerprint >> shift));
        }

        writer.Raw(secret);
        Span<byte> checksum = stackalloc byte[ChecksumBytes];
        Checksum(output.WrittenSpan, checksum);
        writer.Raw(checksum);
        return CodeText.Encode(output.WrittenSpan, GroupLength);
    }

    /// <summary>Reads what a person typed.</summary>
    public static Result<InviteCode, InviteCodeError> Parse(string? text)
    {
        List<byte> digits = [];
        if (!CodeText.TryReadDigits(text, digits))
        {
            return InviteCodeError.Garbled;
        }

        if (digits.Count < 4)
        {
            return digits.Count == 0 ? InviteCodeError.Empty : InviteCodeError.Truncated;
        }

        // The first digits hold the version, the address kind and, for a name, its length.
        int head = (digits[0] << 15) | (digits[1] << 10) | (digits[2] << 5) | digits[3];
        int version = head >> 16;
        int hostBytes = ((head >> 12) & 15) switch
        {
            (int)AddressKind.V4 => 4,
            (int)AddressKind.V6 => 16,
            (int)AddressKind.Name => 1 + ((head >> 4) & 255),
            _ => -1,
        };
        if (version != Version || hostBytes < 0)
        {
            return version > Version ? InviteCodeError.NewerFormat : InviteCodeError.Garbled;
        }

        byte[] bytes = new byte[FixedBytes + 2 + hostBytes];
        int wanted = CodeText.DigitCount(bytes.Length);
        if (digits.Count != wanted)
        {
            return digits.Count < wanted ? InviteCodeError.Truncated : InviteCodeError.Garbled;
        }

        return CodeText.TryDecode(digits, bytes) ? ParseBytes(bytes) : InviteCodeError.Garbled;
    }

    private static Result<InviteCode, InviteCodeError> ParseBytes(ReadOnlySpan<byte> bytes)
    {
        Span<byte> checksum = stackalloc byte[ChecksumBytes];
        Checksum(bytes[..^ChecksumBytes], checksum);
        if (!checksum.SequenceEqual(bytes[^ChecksumBytes..]))
        {
            return InviteCodeError.Garbled;
        }

        WireReader reader = new(bytes[..^ChecksumBytes]);
        string host = (AddressKind)(reader.Byte() & 15) switch
        {
            AddressKind.V4 => new IPAddress(reader.Raw(4)).ToString(),
            AddressKind.V6 => new IPAddress(reader.Raw(16)).ToString(),
            AddressKind.Name => System.Text.Encoding.ASCII.GetString(reader.Raw(reader.Byte())),
            _ => string.Empty,
        };
        ushort port = reader.UInt16();
        ulong fingerprint = 0;
        for (int i = 0; i < FingerprintBytes; i++)
        {
            fingerprint = (fingerprint << 8) | reader.Byte();
        }

        Bytes16 secret = reader.Bytes16();
        reader.Require(NodeAddress.IsHost(host) && port != 0);
        return reader.Complete
            ? new InviteCode(new NodeAddress(host, port), fingerprint, secret)
            : InviteCodeError.Garbled;
    }

    private static (AddressKind Kind, byte[] Host) SplitHost(string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            byte[] bytes = address.GetAddressBytes();
            return (bytes.Length == 4 ? AddressKind.V4 : AddressKind.V6, bytes);
        }

        Invariant.That(NodeAddress.IsHost(host), $"an invite to '{host}'");
        return (AddressKind.Name, System.Text.Encoding.ASCII.GetBytes(host));
    }

    private static ulong FingerprintOf(NodeId node) => node.Value.Prefix >> (64 - (8 * FingerprintBytes));

    private static void Checksum(ReadOnlySpan<byte> bytes, Span<byte> checksum)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        hash[..ChecksumBytes].CopyTo(checksum);
    }
}
