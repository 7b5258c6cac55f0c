using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;

namespace Cairn.Node.Engine.Walks;

/// <summary>What this node's open files and drafts need, for the garbage collector.</summary>
internal sealed class VolumeRoots(VolumeState state, ContentReader reader, Publisher publisher) : IVolumeRoots
{
    /// <inheritdoc/>
    public IReadOnlyList<ReadOnlyMemory<byte>> OpenRoots()
    {
        var roots = new List<ReadOnlyMemory<byte>>();
        foreach (OpenObject open in state.OpenObjects)
        {
            if (!open.BaseRoot.IsEmpty)
            {
                roots.Add(open.BaseRoot);
            }
        }

        return roots;
    }

    /// <inheritdoc/>
    public ValueTask<Result<Manifest, VolumeError>> Load(ReadOnlyMemory<byte> root, CancellationToken cancellation) =>
        reader.Load(root, cancellation);

    /// <inheritdoc/>
    public bool IsLost(ReadOnlyMemory<byte> root) =>
        ManifestRootCodec.Decode(root.Span).TryGet(out ManifestRoot? decoded, out _)
        && decoded is ManifestRoot.Chunked
        && decoded.DirectChunks().Any(chunk => !state.Parts.Store.Contains(RecordKey.Copy(chunk.Address))
            && state.Parts.Source.IsNowhere(chunk.Address));

    /// <inheritdoc/>
    public ValueTask<IDisposable> PausePublishing(CancellationToken cancellation) => publisher.Pause(cancellation);
}
