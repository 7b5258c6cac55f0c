using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Node.ReadPath;

namespace Cairn.Node.Engine.Walks;

/// <summary>Finds files whose present version has some of the chunks asked for, a bounded number of them, and says which bytes.</summary>
/// <remarks>It looks at every file until it has found enough.</remarks>
internal sealed class NamingWalk(VolumeState state, ContentReader reader, IReadOnlySet<ChunkAddress> wanted)
{
    private readonly HashSet<ObjectId> _seen = [];
    private readonly List<string> _paths = [];

    /// <summary>Their paths, with the volume's name before and the bytes behind.</summary>
    public async Task<IReadOnlyList<string>> Run(ObjectId top, int countMax, CancellationToken cancellation)
    {
        FileWalk walk = new(state);
        await foreach (WalkedFile file in walk.Run(top, cancellation))
        {
            if (_paths.Count >= countMax)
            {
                break;
            }

            if (await WantedIn(file.Head.Manifest, cancellation) is { } bytes && _seen.Add(file.Id))
            {
                lock (state.Gate)
                {
                    _paths.Add($"{state.Parts.Name}/{walk.PathOf(file)} ({bytes})");
                }
            }
        }

        return _paths;
    }

    /// <summary>Which bytes of a version the chunks have; null for none, or if that cannot be told.</summary>
    private async Task<string?> WantedIn(ReadOnlyMemory<byte> root, CancellationToken cancellation)
    {
        if (root.IsEmpty || !ManifestRootCodec.Decode(root.Span).TryGet(out ManifestRoot? decoded, out _))
        {
            return null;
        }

        if (decoded is ManifestRoot.Chunked && decoded.DirectChunks().Any(chunk => wanted.Contains(chunk.Address)))
        {
            // The list of its parts: without that nobody knows where any of them is.
            return "all of it";
        }

        return (await reader.Load(root, cancellation)).TryGet(out Manifest? manifest, out _)
            ? LostRanges.Of(manifest, wanted)
            : null;
    }
}
