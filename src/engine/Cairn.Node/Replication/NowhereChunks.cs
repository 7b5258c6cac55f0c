using Cairn.Core.Primitives;

namespace Cairn.Node.Replication;

/// <summary>Chunks that were asked for here and that no member of the pool has: each was asked and said so.</summary>
/// <remarks>
/// Others may have collected them without the member that needs them, or all disks that had them are lost. It is never more than what
/// was found: a member that was forgotten may come back with one, so they are asked for again whenever somebody wants them. Nobody
/// waits for them. docs/decisions/absent-history.md. Thread: the engine's loop.
/// </remarks>
internal sealed class NowhereChunks
{
    /// <summary>More are not named to anybody, and found again when they are asked for.</summary>
    private const int CountMax = 1 << 16;

    private readonly HashSet<ChunkAddress> _chunks = [];

    /// <summary>All that are known.</summary>
    public IReadOnlyCollection<ChunkAddress> All => _chunks;

    /// <summary>Whether all said that they do not have a chunk, and nobody had it since.</summary>
    public bool Has(ChunkAddress address) => _chunks.Contains(address);

    /// <summary>All members said that they do not have it.</summary>
    public void Add(ChunkAddress address) => _ = _chunks.Count < CountMax && _chunks.Add(address);

    /// <summary>Somebody has it. That a member cannot be reached, which had said that it has not, is no reason.</summary>
    public void Remove(ChunkAddress address) => _chunks.Remove(address);

    /// <summary>No file has them any more.</summary>
    public void Clear() => _chunks.Clear();
}
