using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>Why a text is not a recovery kit.</summary>
public enum RecoveryKitError
{
    /// <summary>Nothing in it looks like a kit's lines.</summary>
    Empty,

    /// <summary>Lines or digits are missing at the end.</summary>
    Truncated,

    /// <summary>A character is wrong, added or swapped: copy it again.</summary>
    Garbled,

    /// <summary>A newer program made it. Upgrading this one helps.</summary>
    NewerFormat,
}

/// <summary>
/// What is printed at `init` and put in a drawer: enough to bring the owner back on an empty machine.
/// </summary>
/// <remarks>
/// Format: docs/formats/recovery-kit.md. The private key is the scalar of the P-256 key that the founding transaction
/// granted the recovery role; every volume key is wrapped to it, too. Addresses are hints: any member will do.
/// </remarks>
/// <param name="Pool">Which pool.</param>
/// <param name="PrivateKey">The recovery key's 32-byte scalar. Secret.</param>
/// <param name="Pin">By what the pool is told from one that only says it is; null in a kit of version 1, which has none.</param>
/// <param name="Addresses">Where members listened when the kit was made.</param>
public sealed record RecoveryKit(
    PoolId Pool, Bytes32 PrivateKey, PoolPin? Pin, ImmutableArray<NodeAddress> Addresses)
{
    /// <summary>The newest format read, and the one of every kit with a pin.</summary>
    public const byte Version = 2;

    /// <summary>Most address hints.</summary>
    public const int AddressesMax = 8;

    private const byte VersionWithoutPin = 1;
    private const int ChecksumBytes = 4;
    private const int BodyBytesMax = 4096;
    private const int GroupLength = 5;
    private const int GroupsPerLine = 8;

    /// <summary>
    /// The kit's digits in lines of eight groups of five; blanks, hyphens and lines starting with # are free.
    /// </summary>
    public override string ToString()
    {
        ArrayBufferWriter<byte> body = new(128);
        WireWriter writer = new(body);
        writer.Bytes16(Pool.Value);
        writer.Bytes32(PrivateKey);
        if (Pin is { } pin)
        {
            writer.Bytes32(pin.Value);
        }

        writer.Count(Math.Min(Addresses.Length, AddressesMax));
        foreach (NodeAddress address in Addresses.Take(AddressesMax))
        {
            WireText.Write(writer, address.Host, NodeAddress.HostBytesMax);
            writer.UInt16(address.Port);
        }

        byte version = Pin is null ? VersionWithoutPin : Version;
        Span<byte> head = [version, (byte)(body.WrittenCount >> 8), (byte)body.WrittenCount];
        byte[] checkedBytes = [.. head, .. body.WrittenSpan];
        byte[] bytes = [.. checkedBytes, .. SHA256.HashData(checkedBytes).AsSpan(0, ChecksumBytes)];
        return Wrap(CodeText.Encode(bytes, GroupLength));
    }

    /// <summary>Reads what a person typed or scanned.</summary>
    public static Result<RecoveryKit, RecoveryKitError> Parse(string? text)
    {
        List<byte> digits = [];
        foreach (string line in (text ?? string.Empty).Split('\n'))
        {
            if (!line.TrimStart().StartsWith('#') && !CodeText.TryReadDigits(line, digits))
            {
                return RecoveryKitError.Garbled;
            }
        }

        if (digits.Count < 5)
        {
            return digits.Count == 0 ? RecoveryKitError.Empty : RecoveryKitError.Truncated;
        }

        // The first five digits hold the version and the length of the body.
        int head = 0;
        foreach (byte digit in digits.Take(5))
        {
            head = (head << 5) | digit;
        }

        int version = head >> 17;
        int bodyBytes = (head >> 1) & 0xFFFF;
        if (version is < VersionWithoutPin or > Version || bodyBytes > BodyBytesMax)
        {
            return version > Version ? RecoveryKitError.NewerFormat : RecoveryKitError.Garbled;
        }

        byte[] bytes = new byte[3 + bodyBytes + ChecksumBytes];
        int wanted = CodeText.DigitCount(bytes.Length);
        if (digits.Count != wanted)
        {
            return digits.Count < wanted ? RecoveryKitError.Truncated : RecoveryKitError.Garbled;
        }

        return CodeText.TryDecode(digits, bytes) ? ParseBytes(bytes) : RecoveryKitError.Garbled;
    }

    /// <summary>Two kits are the same when everything in them is.</summary>
    public bool Equals(RecoveryKit? other) =>
        other is not null && Pool == other.Pool && PrivateKey == other.PrivateKey
            && Pin == other.Pin && Addresses.SequenceEqual(other.Addresses);

    /// <inheritdoc/>
    public override int GetHashCode() => Pool.GetHashCode();

    private static Result<RecoveryKit, RecoveryKitError> ParseBytes(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> checkedBytes = bytes[..^ChecksumBytes];
        if (!SHA256.HashData(checkedBytes).AsSpan(0, ChecksumBytes).SequenceEqual(bytes[^ChecksumBytes..]))
        {
            return RecoveryKitError.Garbled;
        }

        WireReader reader = new(checkedBytes[3..]);
        PoolId pool = new(reader.Bytes16());
        Bytes32 key = reader.Bytes32();
        PoolPin? pin = checkedBytes[0] == VersionWithoutPin ? null : new PoolPin(reader.Bytes32());
        int count = reader.Count(4);
        reader.Require(count <= AddressesMax);
        ImmutableArray<NodeAddress>.Builder addresses = ImmutableArray.CreateBuilder<NodeAddress>();
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            string host = WireText.Read(ref reader, NodeAddress.HostBytesMax);
            ushort port = reader.UInt16();
            reader.Require(NodeAddress.IsHost(host) && port != 0);
            addresses.Add(new NodeAddress(host, port));
        }

        return reader.Complete ? new RecoveryKit(pool, key, pin, addresses.ToImmutable()) : RecoveryKitError.Garbled;
    }

    private static string Wrap(string text)
    {
        string[] groups = text.Split('-');
        StringBuilder lines = new();
        for (int i = 0; i < groups.Length; i++)
        {
            lines.Append(i == 0 ? string.Empty : i % GroupsPerLine == 0 ? "\n" : "-").Append(groups[i]);
        }

        return lines.ToString();
    }
}
