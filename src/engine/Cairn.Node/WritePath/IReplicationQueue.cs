using System.Buffers;
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
    /// <remarks>It may wait for more that follow it closely, until <see cref="NoMoreStaged"/>.</remarks>
    /// <param name="address">Which.</param>
    /// <param name="isNew">Whether it was not here before; what was may be with peers, who are asked before bytes are sent.</param>
    /// <param name="buffer">Begins with the stored bytes. Rented from the shared pool; no longer the caller's.</param>
    /// <param name="length">How many they are.</param>
    void Staged(ChunkAddress address, bool isNew, byte[] buffer, int length);

    /// <summary>What was staged goes now.</summary>
    void NoMoreStaged();

    /// <summary>Nothing is published for a while: what is only held to be quick is let go of.</summary>
    void Rest();

    /// <summary>Records were garbage and are gone: nothing is owed for them any more.</summary>
    void Removed(ReadOnlySpan<ChunkAddress> addresses);
}

/// <summary>The queue of a node without peers.</summary>
public sealed class NoReplication : IReplicationQueue
{
    /// <inheritdoc/>
    public void Staged(ChunkAddress address, bool isNew, byte[] buffer, int length) =>
        ArrayPool<byte>.Shared.Return(buffer);

    /// <inheritdoc/>
    public void NoMoreStaged()
    {
    }

    /// <inheritdoc/>
    public void Rest()
    {
    }

    /// <inheritdoc/>
    public void Removed(ReadOnlySpan<ChunkAddress> addresses)
    {
    }
}
