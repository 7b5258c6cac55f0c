using Cairn.Core.Primitives;

namespace Cairn.Node.WritePath;

/// <summary>The peer side as the write path sees it: told at once what has been staged.</summary>
/// <remarks>
/// Only a hint for speed: the truth is the chunk store, where every record of use Staged is owed to the pool. Called from
/// worker threads; implementations return at once.
/// </remarks>
public interface IReplicationQueue
{
    /// <summary>A record is in the chunk store as staged. It may not be on stable storage of this node yet.</summary>
    /// <param name="volume">The volume it was written in.</param>
    /// <param name="address">Which.</param>
    /// <param name="isNew">Whether it was not here before; what was may be with peers, who are asked before bytes are sent.</param>
    void Staged(VolumeId volume, ChunkAddress address, bool isNew);

    /// <summary>Records were garbage and are gone: nothing is owed for them any more.</summary>
    void Removed(ReadOnlySpan<ChunkAddress> addresses);
}

/// <summary>The queue of a node without peers.</summary>
public sealed class NoReplication : IReplicationQueue
{
    /// <inheritdoc/>
    public void Staged(VolumeId volume, ChunkAddress address, bool isNew)
    {
    }

    /// <inheritdoc/>
    public void Removed(ReadOnlySpan<ChunkAddress> addresses)
    {
    }
}
