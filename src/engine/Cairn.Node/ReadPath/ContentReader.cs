using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Node.Drafts;
using Cairn.Node.Engine;
using Cairn.Node.Volumes;

namespace Cairn.Node.ReadPath;

/// <summary>Reads a file's bytes as its open object shows them: drafts over the base version.</summary>
/// <remarks>
/// Piece by piece: (1) under the gate, find which layer shows the next byte and how far; (2) outside it, read that piece:
/// nothing for a hole, the journal for a draft's extent, a chunk's range else. A piece may be published and given back
/// between the two; it then fails to open and is looked up again. When another version took the base's place between two pieces,
/// it begins again: what one read gives is of one version.
/// </remarks>
internal sealed class ContentReader(VolumeState state, ChunkReader chunks)
{
    private const int AttemptsMax = 8;

    /// <summary>Longer than that no writer makes one: a file of 2 TiB in chunks of the usual size has 200 MiB.</summary>
    private const long ManifestBytesMax = 1L << 30;

    private readonly record struct Piece(long Length, JournalExtent? Extent, ManifestItem? Item, int Offset);

    /// <summary>Reads up to the buffer's length; fewer bytes only at the end of the file.</summary>
    public ValueTask<Result<int, VolumeError>> Read(
        OpenObject target, long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        int done = 0;
        int attempts = 0;
        Manifest? seen = target.Base;
        while (done < buffer.Length)
        {
            Piece piece;
            lock (state.Gate)
            {
                done = ReferenceEquals(seen, target.Base) ? done : 0;
                seen = target.Base;
                piece = FindIfLoaded(target, offset + done, buffer.Length - done);
            }

            if (piece.Length < 0)
            {
                return ReadSlowly(target, offset, buffer, cancellation);
            }

            if (piece.Length == 0)
            {
                break;
            }

            if (TryReadNow(piece, buffer.Span.Slice(done, (int)piece.Length)))
            {
                done += (int)piece.Length;
                attempts = 0;
            }
            else if (piece.Item is not null || ++attempts > AttemptsMax)
            {
                return ReadSlowly(target, offset, buffer, cancellation);
            }
        }

        return new(done);
    }

    /// <summary>Makes the base's manifest known, reading the chunks of a large one.</summary>
    public async ValueTask<Result<Manifest, VolumeError>> LoadBase(OpenObject target, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> root;
        lock (state.Gate)
        {
            if (target.Base is { } known)
            {
                return known;
            }

            root = target.BaseRoot;
        }

        Result<Manifest, VolumeError> loaded = await Load(root, cancellation);
        lock (state.Gate)
        {
            if (loaded.IsOk && target.BaseRoot.Equals(root))
            {
                target.Base ??= loaded.Value;
            }
        }

        return loaded;
    }

    /// <summary>Reads what an item stands for, if its chunk is on this node.</summary>
    public bool TryReadHere(ManifestItem.Ref item, Span<byte> buffer) =>
        chunks.TryRead(item.Chunk, item.Offset, buffer);

    /// <summary>The manifest of an encoded root.</summary>
    public async ValueTask<Result<Manifest, VolumeError>> Load(
        ReadOnlyMemory<byte> root, CancellationToken cancellation)
    {
        if (root.IsEmpty)
        {
            return Manifest.Empty;
        }

        if (!ManifestRootCodec.Decode(root.Span).TryGet(out ManifestRoot? decoded, out _))
        {
            return VolumeError.Corrupt;
        }

        if (decoded is ManifestRoot.Inline { Manifest: { } inline })
        {
            return inline;
        }

        Manifest body = ((ManifestRoot.Chunked)decoded).Body;
        if (body.SizeBytes > ManifestBytesMax)
        {
            return VolumeError.Corrupt;
        }

        // All at once: each may have to be fetched, and who opens the file waits.
        byte[] encoded = new byte[body.SizeBytes];
        List<Task<Result<Unit, VolumeError>>> reads = [];
        foreach ((int index, ManifestItem item) in body.Items.Index())
        {
            if (item is not ManifestItem.Ref part)
            {
                return VolumeError.Corrupt;
            }

            Memory<byte> target = encoded.AsMemory((int)body.StartOf(index), part.Length);
            reads.Add(chunks.Read(part.Chunk, part.Offset, target, cancellation).AsTask());
        }

        foreach (Task<Result<Unit, VolumeError>> reading in reads)
        {
            Result<Unit, VolumeError> read = await reading;
            if (!read.IsOk)
            {
                return read.Error;
            }
        }

        return ManifestCodec.Decode(encoded).TryGet(out Manifest? manifest, out _) ? manifest : VolumeError.Corrupt;
    }

    /// <summary>The first byte at or behind an offset that is in a hole, or is not.</summary>
    public static long Seek(OpenObject target, long offset, SeekTarget wanted)
    {
        long size = target.SizeBytes;
        while (offset < size)
        {
            Piece piece = Find(target, offset, size - offset);
            bool isHole = piece.Extent is null && piece.Item is null or ManifestItem.Hole;
            if (isHole == (wanted == SeekTarget.Hole))
            {
                return offset;
            }

            offset += piece.Length;
        }

        return size;
    }

    private async ValueTask<Result<int, VolumeError>> ReadSlowly(
        OpenObject target, long offset, Memory<byte> buffer, CancellationToken cancellation)
    {
        int done = 0;
        Manifest? seen = null;
        for (int attempts = 0; done < buffer.Length;)
        {
            Result<Manifest, VolumeError> loaded = await LoadBase(target, cancellation);
            if (!loaded.IsOk)
            {
                return loaded.Error;
            }

            Piece piece;
            lock (state.Gate)
            {
                done = ReferenceEquals(seen, target.Base) ? done : 0;
                seen = target.Base;
                piece = FindIfLoaded(target, offset + done, buffer.Length - done);
            }

            if (piece.Length == 0)
            {
                break;
            }

            if (piece.Length < 0)
            {
                continue;
            }

            Memory<byte> part = buffer.Slice(done, (int)piece.Length);
            VolumeError? failed = await ReadPiece(piece, part, cancellation);
            if (failed is null)
            {
                done += (int)piece.Length;
                attempts = 0;
            }
            else if ((piece.Item is not null && ReferenceEquals(seen, target.Base)) || ++attempts > AttemptsMax)
            {
                return failed.Value;
            }
        }

        return done;
    }

    private async ValueTask<VolumeError?> ReadPiece(Piece piece, Memory<byte> part, CancellationToken cancellation)
    {
        if (piece.Item is ManifestItem.Ref reference)
        {
            Result<Unit, VolumeError> read = await chunks.Read(
                reference.Chunk, reference.Offset + piece.Offset, part, cancellation);
            return read.IsOk ? null : read.Error;
        }

        return TryReadNow(piece, part.Span) ? null : VolumeError.InputOutput;
    }

    private bool TryReadNow(in Piece piece, Span<byte> part)
    {
        switch (piece)
        {
            case { Extent: { } extent }:
                return state.Journal.Read(extent.Position, extent.Entry, piece.Offset, part).IsOk;
            case { Item: ManifestItem.Ref reference }:
                return chunks.TryRead(reference.Chunk, reference.Offset + piece.Offset, part);
            case { Item: ManifestItem.Inline inline }:
                inline.Bytes.Span.Slice(piece.Offset, part.Length).CopyTo(part);
                return true;
            default:
                part.Clear();
                return true;
        }
    }

    /// <summary>As <see cref="Find"/>; length -1 while the base's manifest is not known.</summary>
    private static Piece FindIfLoaded(OpenObject target, long offset, long lengthMax) =>
        target.Base is null ? new Piece(-1, null, null, 0) : Find(target, offset, lengthMax);

    /// <summary>What shows the byte at an offset, and how far; length 0 at the end.</summary>
    private static Piece Find(OpenObject target, long offset, long lengthMax)
    {
        long limit = target.SizeBytes - offset <= lengthMax ? target.SizeBytes : offset + lengthMax;
        if (limit <= offset)
        {
            return default;
        }

        foreach (Draft? layer in (ReadOnlySpan<Draft?>)[target.Active, target.Frozen])
        {
            if (layer is null)
            {
                continue;
            }

            if (layer.Map.TryFind(offset, out Extent extent))
            {
                long length = Math.Min(extent.End, limit) - offset;
                int at = extent.Source is null ? 0 : extent.SourceOffset + (int)(offset - extent.Start);
                return new Piece(length, extent.Source, null, at);
            }

            limit = Math.Min(limit, layer.Map.NextStart(offset));
        }

        Manifest manifest = target.Base!;
        if (offset >= manifest.SizeBytes)
        {
            return new Piece(limit - offset, null, null, 0);
        }

        ManifestPosition position = manifest.Locate(offset);
        ManifestItem item = manifest.Items[position.Index];
        long rest = Math.Min(item.LengthBytes - position.OffsetInItem, limit - offset);
        return item is ManifestItem.Hole
            ? new Piece(rest, null, null, 0)
            : new Piece(rest, null, item, (int)position.OffsetInItem);
    }
}
