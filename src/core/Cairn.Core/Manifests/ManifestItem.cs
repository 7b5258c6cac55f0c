using Cairn.Core.Primitives;

namespace Cairn.Core.Manifests;

/// <summary>A run of a file's bytes: a hole, bytes held here, or part of a chunk. The set is closed.</summary>
/// <remarks>Invariant: every item is at least one byte long. Source: docs/formats/manifest.md.</remarks>
public abstract record ManifestItem
{
    private protected ManifestItem()
    {
    }

    /// <summary>How many bytes of the file it stands for; at least 1.</summary>
    public abstract long LengthBytes { get; }

    /// <summary>The same run without what lies before <paramref name="offset"/> and after the length.</summary>
    internal abstract ManifestItem Slice(long offset, long lengthBytes);

    /// <summary>This and <paramref name="next"/> as one item, or null when they are not one run.</summary>
    internal abstract ManifestItem? Join(ManifestItem next);

    /// <summary>Bytes that were never written: they read as zeros and are stored nowhere.</summary>
    public sealed record Hole : ManifestItem
    {
        private readonly long _lengthBytes;

        /// <summary>A hole of at least one byte.</summary>
        public Hole(long lengthBytes)
        {
            Invariant.That(lengthBytes > 0, $"a hole of {lengthBytes} bytes");
            _lengthBytes = lengthBytes;
        }

        /// <inheritdoc/>
        public override long LengthBytes => _lengthBytes;

        internal override ManifestItem Slice(long offset, long lengthBytes) => new Hole(lengthBytes);

        internal override ManifestItem? Join(ManifestItem next) =>
            next is Hole hole ? new Hole(checked(_lengthBytes + hole._lengthBytes)) : null;
    }

    /// <summary>Bytes held in the manifest itself: for files too small to be worth a chunk.</summary>
    public sealed record Inline : ManifestItem
    {
        /// <summary>The most bytes one item may hold.</summary>
        public const int BytesMax = 4096;

        /// <summary>Bytes that the caller no longer changes.</summary>
        public Inline(ReadOnlyMemory<byte> bytes)
        {
            Invariant.That(bytes.Length is > 0 and <= BytesMax, $"an inline item of {bytes.Length} bytes");
            Bytes = bytes;
        }

        /// <summary>The content.</summary>
        public ReadOnlyMemory<byte> Bytes { get; }

        /// <inheritdoc/>
        public override long LengthBytes => Bytes.Length;

        /// <inheritdoc/>
        public bool Equals(Inline? other) => other is not null && Bytes.Span.SequenceEqual(other.Bytes.Span);

        /// <summary>From the length and the first and last bytes: cheap, the same in every process.</summary>
        public override int GetHashCode() => (Bytes.Length << 16) ^ (Bytes.Span[0] << 8) ^ Bytes.Span[^1];

        internal override ManifestItem Slice(long offset, long lengthBytes) =>
            new Inline(Bytes.Slice((int)offset, (int)lengthBytes));

        internal override ManifestItem? Join(ManifestItem next)
        {
            if (next is not Inline other || Bytes.Length + other.Bytes.Length > BytesMax)
            {
                return null;
            }

            byte[] joined = new byte[Bytes.Length + other.Bytes.Length];
            Bytes.CopyTo(joined);
            other.Bytes.CopyTo(joined.AsMemory(Bytes.Length));
            return new Inline(joined);
        }
    }

    /// <summary>Part of a chunk's plain bytes.</summary>
    public sealed record Ref : ManifestItem
    {
        /// <summary>A range inside the chunk.</summary>
        /// <param name="chunk">The chunk.</param>
        /// <param name="offset">Where the range starts in its plain bytes.</param>
        /// <param name="length">Bytes, at least 1; the range ends inside the chunk.</param>
        public Ref(ChunkRef chunk, int offset, int length)
        {
            Invariant.That(
                offset >= 0 && length > 0 && length <= chunk.PlainLength - offset,
                $"range {offset}+{length} of {chunk}");
            Chunk = chunk;
            Offset = offset;
            Length = length;
        }

        /// <summary>The chunk.</summary>
        public ChunkRef Chunk { get; }

        /// <summary>Where the range starts in the chunk's plain bytes.</summary>
        public int Offset { get; }

        /// <summary>Bytes of the range.</summary>
        public int Length { get; }

        /// <inheritdoc/>
        public override long LengthBytes => Length;

        internal override ManifestItem Slice(long offset, long lengthBytes) =>
            new Ref(Chunk, Offset + (int)offset, (int)lengthBytes);

        internal override ManifestItem? Join(ManifestItem next) =>
            next is Ref other && other.Offset == Offset + Length && other.Chunk.Equals(Chunk)
                ? new Ref(Chunk, Offset, Length + other.Length)
                : null;
    }
}
