using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Walks;

/// <summary>What lies below a path, by its chunks.</summary>
/// <param name="Files">Files seen; a file with several names counts once a name.</param>
/// <param name="Chunks">Each chunk once, large manifests' own included.</param>
/// <param name="HasUnpublishedWrites">Whether one of the files has writes that no version has yet.</param>
/// <param name="Unreadable">Files of which not even the list of chunks can be had now; none, unless that was asked for.</param>
public sealed record VolumeChunks(
    long Files, IReadOnlyList<ChunkRef> Chunks, bool HasUnpublishedWrites, long Unreadable);

/// <summary>Walks a subtree and gathers the chunks of the versions it shows.</summary>
internal sealed class ChunkWalk(VolumeState state, ContentReader reader)
{
    private readonly HashSet<ChunkAddress> _seen = [];
    private readonly List<ChunkRef> _chunks = [];
    private long _files;
    private bool _unpublished;
    private long _unreadable;

    /// <summary>Where the names are read; the volume as it is by default.</summary>
    public TreeQueries Queries { get; init; } = state.Queries;

    /// <summary>Only files last written after this are gathered.</summary>
    public WallTime Since { get; init; } = new(long.MinValue);

    /// <summary>Whether a file whose chunks cannot be listed now is passed over, not the end of the walk.</summary>
    public bool PassesOver { get; init; }

    public async ValueTask<Result<VolumeChunks, VolumeError>> Run(InodeNumber top, CancellationToken cancellation)
    {
        ObjectId id;
        lock (state.Gate)
        {
            if (!state.View(top).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            id = view.Id;
        }

        return await Run(id, cancellation);
    }

    public async ValueTask<Result<VolumeChunks, VolumeError>> Run(ObjectId top, CancellationToken cancellation)
    {
        VolumeError? failed = await Visit(top, cancellation);
        return failed is { } why ? why : new VolumeChunks(_files, _chunks, _unpublished, _unreadable);
    }

    private async ValueTask<VolumeError?> Visit(ObjectId id, CancellationToken cancellation)
    {
        Stack<ObjectId> waiting = new([id]);
        while (waiting.TryPop(out ObjectId next))
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlyMemory<byte> root = default;
            lock (state.Gate)
            {
                if (Queries.Get(next) is not { } view)
                {
                    continue;
                }

                if (view.Kind == TreeKind.Directory)
                {
                    foreach (EntryView entry in Queries.ListAll(view.Id))
                    {
                        waiting.Push(entry.Object);
                    }

                    continue;
                }

                if (view.Modified < Since)
                {
                    continue;
                }

                _files++;
                _unpublished |= state.FindOpen(next) is { Newest: not null };
                root = view.Head?.Manifest ?? default;
            }

            if (await Gather(root, cancellation) is { } failed)
            {
                if (!PassesOver)
                {
                    return failed;
                }

                _unreadable++;
            }
        }

        return null;
    }

    private async ValueTask<VolumeError?> Gather(ReadOnlyMemory<byte> root, CancellationToken cancellation)
    {
        if (root.IsEmpty || !ManifestRootCodec.Decode(root.Span).TryGet(out ManifestRoot? decoded, out _))
        {
            return root.IsEmpty ? null : VolumeError.Corrupt;
        }

        Add(decoded.DirectChunks());
        if (decoded is ManifestRoot.Chunked)
        {
            Result<Manifest, VolumeError> manifest = await reader.Load(root, cancellation);
            if (!manifest.IsOk)
            {
                return manifest.Error;
            }

            Add(manifest.Value.Chunks());
        }

        return null;
    }

    private void Add(IEnumerable<ChunkRef> chunks)
    {
        foreach (ChunkRef chunk in chunks)
        {
            if (_seen.Add(chunk.Address))
            {
                _chunks.Add(chunk);
            }
        }
    }
}
