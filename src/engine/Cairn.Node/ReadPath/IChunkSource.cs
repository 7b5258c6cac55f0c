using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.ReadPath;

/// <summary>Where chunks come from that this node does not hold: the other nodes.</summary>
public interface IChunkSource
{
    /// <summary>Fetches a whole stored chunk. The caller owns and disposes it.</summary>
    /// <returns>
    /// Bytes whose SHA-256 is the address, checked by the source; <see cref="VolumeError.Unreachable"/> when no node that
    /// holds it answers in the source's stated time, <see cref="VolumeError.Corrupt"/> when all that answered lied.
    /// </returns>
    ValueTask<Result<ChunkLease, VolumeError>> Fetch(ChunkAddress address, CancellationToken cancellation);

    /// <summary>Whether a chunk that could not be fetched is on no other node: each was asked, and said so.</summary>
    bool IsNowhere(ChunkAddress address) => false;
}

/// <summary>Stored bytes of a chunk in a buffer that somebody else pools.</summary>
/// <param name="bytes">The stored bytes, valid until disposed.</param>
/// <param name="owner">Disposed with the lease: a frame, a rented buffer; null if nothing is to be given back.</param>
public sealed class ChunkLease(ReadOnlyMemory<byte> bytes, IDisposable? owner) : IDisposable
{
    private IDisposable? _owner = owner;

    /// <summary>The stored bytes.</summary>
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    /// <inheritdoc/>
    public void Dispose()
    {
        _owner?.Dispose();
        _owner = null;
    }
}

/// <summary>The source of a pool with one node: nothing is anywhere else.</summary>
public sealed class NoChunkSource : IChunkSource
{
    /// <inheritdoc/>
    public ValueTask<Result<ChunkLease, VolumeError>> Fetch(ChunkAddress address, CancellationToken cancellation) =>
        new(VolumeError.Unreachable);

    /// <inheritdoc/>
    public bool IsNowhere(ChunkAddress address) => true;
}
