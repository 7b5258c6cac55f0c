using System.Collections.Immutable;

namespace Cairn.Core.Manifests;

/// <summary>What a write-version operation carries: the manifest itself, or where its encoded bytes lie.</summary>
/// <remarks>Source: docs/formats/manifest.md, "Manifest root". The set is closed.</remarks>
public abstract record ManifestRoot
{
    /// <summary>An encoded manifest longer than this goes into chunks.</summary>
    public const int InlineBytesMax = 4096;

    private protected ManifestRoot()
    {
    }

    /// <summary>The file's length.</summary>
    public abstract long SizeBytes { get; }

    /// <summary>The file's length without its holes.</summary>
    public abstract long DataBytes { get; }

    /// <summary>
    /// The chunks this root names itself: all of them if inline, those of the encoded manifest if chunked.
    /// </summary>
    public abstract ImmutableArray<ChunkRef> DirectChunks();

    /// <summary>The manifest is here.</summary>
    /// <param name="Manifest">Of the file.</param>
    public sealed record Inline(Manifest Manifest) : ManifestRoot
    {
        /// <inheritdoc/>
        public override long SizeBytes => Manifest.SizeBytes;

        /// <inheritdoc/>
        public override long DataBytes => Manifest.DataBytes;

        /// <inheritdoc/>
        public override ImmutableArray<ChunkRef> DirectChunks() => Manifest.Chunks();
    }

    /// <summary>The encoded manifest is itself kept in chunks.</summary>
    public sealed record Chunked : ManifestRoot
    {
        private readonly long _sizeBytes;
        private readonly long _dataBytes;

        /// <summary>Says where the encoded manifest lies.</summary>
        /// <param name="sizeBytes">The file's length.</param>
        /// <param name="dataBytes">The file's length without its holes.</param>
        /// <param name="body">The manifest whose bytes are the encoded manifest of the file.</param>
        public Chunked(long sizeBytes, long dataBytes, Manifest body)
        {
            _sizeBytes = sizeBytes;
            _dataBytes = dataBytes;
            Body = body;
        }

        /// <inheritdoc/>
        public override long SizeBytes => _sizeBytes;

        /// <inheritdoc/>
        public override long DataBytes => _dataBytes;

        /// <summary>The manifest whose bytes are the encoded manifest of the file: read it like any file.</summary>
        public Manifest Body { get; }

        /// <inheritdoc/>
        public override ImmutableArray<ChunkRef> DirectChunks() => Body.Chunks();
    }
}
