using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>What a node says about itself, signed by its identity key: one entry of the pool map.</summary>
/// <remarks>Format: docs/formats/node-record.md. The higher <see cref="Counter"/> replaces the lower one.</remarks>
public sealed record NodeRecord
{
    /// <summary>
    /// Longest <see cref="Name"/>, <see cref="Zone"/>, tag or <see cref="Program"/> in bytes of UTF-8.
    /// </summary>
    public const int TextBytesMax = 128;

    /// <summary>Most tags.</summary>
    public const int TagsMax = 32;

    /// <summary>Most addresses.</summary>
    public const int AddressesMax = 16;

    /// <summary>The SHA-256 of <see cref="PublicKey"/>.</summary>
    public required NodeId Node { get; init; }

    /// <summary>The identity public key (SubjectPublicKeyInfo) that verifies this record.</summary>
    public required ImmutableArray<byte> PublicKey { get; init; }

    /// <summary>Grows by at least one with every change the node publishes; durable on the node.</summary>
    public required ulong Counter { get; init; }

    /// <summary>The name people see; unique by courtesy, never by need.</summary>
    public required string Name { get; init; }

    /// <summary>Where it listens, the likeliest first.</summary>
    public ImmutableArray<NodeAddress> Addresses { get; init; } = [];

    /// <summary>Bytes it gives to the pool.</summary>
    public long CapacityBytes { get; init; }

    /// <summary>Bytes of <see cref="CapacityBytes"/> taken by owed copies and staged data, as of this record.</summary>
    public long UsedBytes { get; init; }

    /// <summary>Whether it takes no new copies (see <see cref="Placement.FullHysteresis"/>).</summary>
    public bool IsFull { get; init; }

    /// <summary>The failure domain its owner named: a room, a site. Empty when none is named.</summary>
    public string Zone { get; init; } = string.Empty;

    /// <summary>Labels that rules select by; sorted ordinally, no doubles.</summary>
    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary>Where it is in its life.</summary>
    public NodeState State { get; init; } = NodeState.Online;

    /// <summary>The oldest peer protocol it speaks.</summary>
    public ushort ProtocolMin { get; init; } = 1;

    /// <summary>The newest peer protocol it speaks.</summary>
    public ushort ProtocolMax { get; init; } = 1;

    /// <summary>The version of its program, shown to people.</summary>
    public string Program { get; init; } = string.Empty;

    /// <summary>When it says it wrote this record; shown, never compared.</summary>
    public WallTime Claimed { get; init; }

    /// <summary>Chunks written there that are not on enough nodes yet, as of some seconds ago; 0 in old records.</summary>
    public long OwedChunks { get; init; }

    /// <summary>Puts tags in their only order.</summary>
    public static ImmutableArray<string> SortTags(IEnumerable<string> tags) =>
        [.. tags.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Why this record must not be signed or accepted; null when it may.</summary>
    public string? FindProblem()
    {
        bool textFits = new[] { Name, Zone, Program }.Concat(Tags)
            .All(text => Encoding.UTF8.GetByteCount(text) <= TextBytesMax);
        return this switch
        {
            { PublicKey.Length: 0 or > 512 } => "the identity key has an impossible length",
            { Name.Length: 0 } => "the name is empty",
            { CapacityBytes: < 0 } or { UsedBytes: < 0 } or { OwedChunks: < 0 } => "a number is negative",
            { Tags.Length: > TagsMax } => "there are too many tags",
            { Addresses.Length: > AddressesMax } => "there are too many addresses",
            { ProtocolMin: 0 } => "the protocol range is empty",
            _ when ProtocolMin > ProtocolMax => "the protocol range is empty",
            _ when !textFits => "a text is too long",
            _ when !Tags.SequenceEqual(SortTags(Tags)) => "the tags are not sorted",
            _ when Tags.Any(tag => tag.Length == 0) => "a tag is empty",
            _ when Addresses.Any(address => address.Port == 0 || !NodeAddress.IsHost(address.Host)) =>
                "an address is not valid",
            _ => null,
        };
    }
}

/// <summary>A record with the exact bytes its node signed.</summary>
/// <param name="Record">The decoded content.</param>
/// <param name="Bytes">The signed encoding, passed on as it came.</param>
public sealed record SignedNodeRecord(NodeRecord Record, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Same bytes.</summary>
    public bool Equals(SignedNodeRecord? other) => other is not null && Bytes.Span.SequenceEqual(other.Bytes.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => Record.Node.Value.GetHashCode() ^ (int)Record.Counter;
}
