using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Garbage;

/// <summary>What a volume's engine tells its garbage collector.</summary>
public interface IVolumeRoots
{
    /// <summary>
    /// The encoded manifest roots that open files and unpublished drafts of this node stand on, whatever became of them in
    /// the tree. Called under the log's gate.
    /// </summary>
    IReadOnlyList<ReadOnlyMemory<byte>> OpenRoots();

    /// <summary>The manifest behind an encoded root; chunked ones are read, from other nodes if need be.</summary>
    ValueTask<Result<Manifest, VolumeError>> Load(ReadOnlyMemory<byte> root, CancellationToken cancellation);

    /// <summary>Whether a manifest that could not be loaded is on no node any more.</summary>
    bool IsLost(ReadOnlyMemory<byte> root) => false;

    /// <summary>Waits until no publication is under way, and keeps the next from starting until the result is disposed.</summary>
    /// <remarks>A publication may count on a chunk that is in the store; while it does, none may be removed.</remarks>
    ValueTask<IDisposable> PausePublishing(CancellationToken cancellation);
}
