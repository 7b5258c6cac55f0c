using System.Collections;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Storage.Packs;

namespace Cairn.Node.Replication;

/// <summary>The digests of some partitions as they are when they are looked at: there are thousands, so none are copied.</summary>
internal sealed class SharedReports(List<PartitionId> partitions, ChunkStore store) : IReadOnlyList<PartitionReport>
{
    /// <inheritdoc/>
    public int Count => partitions.Count;

    /// <inheritdoc/>
    public PartitionReport this[int index] => new(partitions[index], store.Digest(partitions[index]));

    /// <inheritdoc/>
    public IEnumerator<PartitionReport> GetEnumerator() =>
        partitions.Select(partition => new PartitionReport(partition, store.Digest(partition))).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
