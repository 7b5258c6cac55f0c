using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.ReadPath;

namespace Cairn.Node.Engine.Walks;

/// <summary>Finds chunks of present versions that are not on this node, and were written here or should be here.</summary>
internal sealed class AbsentWalk(VolumeState state, ContentReader reader, Func<ChunkAddress, bool> shouldBeHere)
{
    /// <summary>Where more are absent, repair has much to do first, or little is left to be named.</summary>
    private const int CountMax = 1 << 17;

    private readonly HashSet<ChunkAddress> _absent = [];

    /// <summary>Their addresses.</summary>
    public async Task<IReadOnlyCollection<ChunkAddress>> Run(CancellationToken cancellation)
    {
        NodeId self = state.Parts.Log.OwnLogId.Author;
        await foreach (WalkedFile file in new FileWalk(state).Run(TreeQueries.Root, cancellation))
        {
            await Look(file.Head.Manifest, file.Head.Author == self, cancellation);
            if (_absent.Count >= CountMax)
            {
                break;
            }
        }

        return _absent;
    }

    private async Task Look(ReadOnlyMemory<byte> root, bool isOwn, CancellationToken cancellation)
    {
        if (root.IsEmpty || !ManifestRootCodec.Decode(root.Span).TryGet(out ManifestRoot? decoded, out _))
        {
            return;
        }

        // Lists of others' files are not fetched for this: those who have one look.
        Add(decoded.DirectChunks(), isOwn);
        if (decoded is ManifestRoot.Chunked && (isOwn || decoded.DirectChunks().All(IsHere))
            && (await reader.Load(root, cancellation)).TryGet(out Manifest? manifest, out _))
        {
            Add(manifest.Chunks(), isOwn);
        }
    }

    private bool IsHere(ChunkRef chunk) => state.Parts.Store.Contains(RecordKey.Copy(chunk.Address));

    private void Add(IEnumerable<ChunkRef> chunks, bool isOwn)
    {
        foreach (ChunkRef chunk in chunks)
        {
            if ((isOwn || shouldBeHere(chunk.Address)) && !IsHere(chunk))
            {
                _absent.Add(chunk.Address);
            }
        }
    }
}
