using Cairn.Core.Primitives;

namespace Cairn.Core.Manifests;

/// <summary>All that is needed to find a chunk, open it and trust it.</summary>
/// <param name="Id">What it is: the keyed hash of its plain bytes; enters the chunk's key.</param>
/// <param name="Address">What is stored: the hash of its stored bytes; where placement starts.</param>
/// <param name="Epoch">Which key of the volume opens it.</param>
/// <param name="PlainLength">Plain bytes, 1 to <see cref="PlainBytesMax"/>.</param>
/// <param name="StoredLength">Stored bytes, header and tags included.</param>
/// <param name="Encoding">How plain bytes became stored bytes.</param>
public sealed record ChunkRef(
    ChunkId Id, ChunkAddress Address, EpochId Epoch, int PlainLength, int StoredLength, ChunkEncoding Encoding)
{
    /// <summary>The most plain bytes a chunk may carry: 4 MiB.</summary>
    public const int PlainBytesMax = 4 * 1024 * 1024;

    /// <summary>The most stored bytes a chunk may have: room for a header and 16 bytes per 16 KiB is plenty.</summary>
    public const int StoredBytesMax = PlainBytesMax + (64 * 1024);

    /// <inheritdoc/>
    public bool Equals(ChunkRef? other) =>
        ReferenceEquals(this, other)
        || (other is not null && Address == other.Address && Id == other.Id && Epoch == other.Epoch
            && PlainLength == other.PlainLength && StoredLength == other.StoredLength && Encoding == other.Encoding);

    /// <summary>The same in every process: an address is a hash already.</summary>
    public override int GetHashCode() => Address.Value.GetHashCode();

    /// <summary>The whole chunk as an item.</summary>
    public ManifestItem.Ref Whole() => new(this, 0, PlainLength);

    /// <inheritdoc/>
    public override string ToString() => $"chunk {Address.Short} of {PlainLength} bytes";
}
