using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Node.ReadPath;

namespace Cairn.Node.Engine.Walks;

/// <summary>Finds files whose present version has some of the chunks asked for, a bounded number of them.</summary>
/// <remarks>
/// It looks at every file of the volume until it has found enough, so it rests between steps: doors and peers come first.
/// </remarks>
internal sealed class NamingWalk(VolumeState state, ContentReader reader, IReadOnlySet<ChunkAddress> wanted)
{
    private const int NamesPerStep = 1024;
    private const int FilesPerStep = 256;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(2);

    private readonly Stack<ObjectId> _waiting = new([TreeQueries.Root]);
    private readonly HashSet<ObjectId> _seen = [];
    private readonly List<string> _paths = [];

    /// <summary>Their paths, with the volume's name before.</summary>
    public async Task<IReadOnlyList<string>> Run(int countMax, CancellationToken cancellation)
    {
        for (int looked = 1; _paths.Count < countMax && _waiting.TryPop(out ObjectId next); looked++)
        {
            if (looked % FilesPerStep == 0)
            {
                await Task.Delay(Rest, state.Parts.Time, cancellation);
            }

            ReadOnlyMemory<byte> manifest;
            lock (state.Gate)
            {
                manifest = Open(next);
            }

            if (await HasWanted(manifest, cancellation) && _seen.Add(next))
            {
                lock (state.Gate)
                {
                    _paths.Add(state.Parts.Name + "/" + NameText.Join(state.Queries.PathOf(next)));
                }
            }
        }

        return _paths;
    }

    /// <summary>What a file has; of a folder its entries are looked at later.</summary>
    private ReadOnlyMemory<byte> Open(ObjectId id)
    {
        if (state.Queries.Get(id) is not { } view)
        {
            return default;
        }

        if (view.Kind != TreeKind.Directory)
        {
            return view.Head?.Manifest ?? default;
        }

        IReadOnlyList<EntryView> step;
        ReadOnlyMemory<byte> after = default;
        do
        {
            step = state.Queries.List(id, after, NamesPerStep);
            foreach (EntryView entry in step)
            {
                _waiting.Push(entry.Object);
                after = entry.Name;
            }
        }
        while (step.Count == NamesPerStep);
        return default;
    }

    private async Task<bool> HasWanted(ReadOnlyMemory<byte> root, CancellationToken cancellation)
    {
        if (root.IsEmpty || !ManifestRootCodec.Decode(root.Span).TryGet(out ManifestRoot? decoded, out _))
        {
            return false;
        }

        if (decoded.DirectChunks().Any(chunk => wanted.Contains(chunk.Address)))
        {
            return true;
        }

        return decoded is ManifestRoot.Chunked
            && (await reader.Load(root, cancellation)).TryGet(out Manifest? manifest, out _)
            && manifest.Chunks().Any(chunk => wanted.Contains(chunk.Address));
    }
}
