using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Manifests;

/// <summary>Where an offset falls in a manifest.</summary>
/// <param name="Index">Of the item in <see cref="Manifest.Items"/>.</param>
/// <param name="ItemStart">The file offset of the item's first byte.</param>
/// <param name="OffsetInItem">From the item's first byte.</param>
public readonly record struct ManifestPosition(int Index, long ItemStart, long OffsetInItem);

/// <summary>New content for a range of a file: as long as the content.</summary>
/// <param name="Offset">Where it starts in the file; may lie behind the end, the gap becomes a hole.</param>
/// <param name="Content">What the range holds from now on.</param>
public readonly record struct ManifestPatch(long Offset, Manifest Content)
{
    /// <summary>The first file offset behind the patch.</summary>
    public long End => Offset + Content.SizeBytes;
}

/// <summary>What the bytes of one version of a file are, in order. Immutable.</summary>
/// <remarks>
/// Invariants: no item is empty; no two neighbours are one run (two holes, two adjoining ranges of one chunk, two
/// inline items that fit in one), so that many small edits do not leave many small items.
/// Source: docs/formats/manifest.md.
/// </remarks>
public sealed class Manifest : IEquatable<Manifest>
{
    private readonly long[] _starts;

    /// <summary>Only the builder makes one, from joined items.</summary>
    internal Manifest(ImmutableArray<ManifestItem> items)
    {
        Items = items;
        _starts = new long[items.Length];
        for (int i = 0; i < items.Length; i++)
        {
            _starts[i] = SizeBytes;
            SizeBytes += items[i].LengthBytes;
            DataBytes += items[i] is ManifestItem.Hole ? 0 : items[i].LengthBytes;
        }
    }

    /// <summary>The manifest of an empty file.</summary>
    public static Manifest Empty { get; } = new([]);

    /// <summary>The runs, in order.</summary>
    public ImmutableArray<ManifestItem> Items { get; }

    /// <summary>The file's length.</summary>
    public long SizeBytes { get; }

    /// <summary>The file's length without its holes.</summary>
    public long DataBytes { get; }

    /// <summary>A manifest of these items, joined.</summary>
    public static Manifest Of(params ReadOnlySpan<ManifestItem> items)
    {
        ManifestBuilder builder = new();
        foreach (ManifestItem item in items)
        {
            builder.Append(item);
        }

        return builder.Build();
    }

    /// <summary>A manifest of one hole.</summary>
    public static Manifest OfHole(long lengthBytes) =>
        lengthBytes == 0 ? Empty : new Manifest([new ManifestItem.Hole(lengthBytes)]);

    /// <summary>A manifest that holds its bytes itself.</summary>
    public static Manifest OfInline(ReadOnlyMemory<byte> bytes)
    {
        ManifestBuilder builder = new();
        builder.AppendInline(bytes);
        return builder.Build();
    }

    /// <summary>The item that holds the byte at <paramref name="offset"/>, which lies inside the file.</summary>
    /// <remarks>O(log n), allocates nothing.</remarks>
    public ManifestPosition Locate(long offset)
    {
        Invariant.That(offset >= 0 && offset < SizeBytes, $"offset {offset} of {SizeBytes} bytes");
        int found = Array.BinarySearch(_starts, offset);
        int index = found >= 0 ? found : ~found - 1;
        return new ManifestPosition(index, _starts[index], offset - _starts[index]);
    }

    /// <summary>The file offset of an item's first byte.</summary>
    public long StartOf(int index) => _starts[index];

    /// <summary>The range as a manifest of its own; what lies behind the end is left out.</summary>
    public Manifest Slice(long offset, long lengthBytes)
    {
        Invariant.That(offset >= 0 && lengthBytes >= 0, $"range {offset}+{lengthBytes}");
        long take = Math.Clamp(SizeBytes - offset, 0, lengthBytes);
        if (take == SizeBytes)
        {
            return this;
        }

        ManifestBuilder builder = new();
        if (take > 0)
        {
            builder.Append(this, offset, take);
        }

        return builder.Build();
    }

    /// <summary>The file with <paramref name="content"/> written at <paramref name="offset"/>.</summary>
    public Manifest Overlay(long offset, Manifest content) => Overlay([new ManifestPatch(offset, content)]);

    /// <summary>The file with all patches written, in one pass.</summary>
    /// <param name="patches">Ascending by offset; none overlaps another.</param>
    public Manifest Overlay(ReadOnlySpan<ManifestPatch> patches)
    {
        ManifestBuilder builder = new();
        foreach (ref readonly ManifestPatch patch in patches)
        {
            Invariant.That(patch.Offset >= builder.SizeBytes, $"a patch at {patch.Offset} before {builder.SizeBytes}");
            CopyUpTo(builder, patch.Offset);
            builder.Append(patch.Content);
        }

        CopyUpTo(builder, SizeBytes);
        return builder.Build();
    }

    /// <summary>The file cut or extended with a hole to exactly <paramref name="sizeBytes"/>.</summary>
    public Manifest Resize(long sizeBytes)
    {
        Invariant.That(sizeBytes >= 0, $"a size of {sizeBytes}");
        if (sizeBytes <= SizeBytes)
        {
            return Slice(0, sizeBytes);
        }

        ManifestBuilder builder = new();
        CopyUpTo(builder, sizeBytes);
        return builder.Build();
    }

    /// <summary>The file with the part of the range that lies inside it turned into a hole; the size stays.</summary>
    public Manifest PunchHole(long offset, long lengthBytes)
    {
        Invariant.That(offset >= 0 && lengthBytes >= 0, $"range {offset}+{lengthBytes}");
        long inside = Math.Clamp(SizeBytes - offset, 0, lengthBytes);
        return inside == 0 ? this : Overlay(offset, OfHole(inside));
    }

    /// <summary>
    /// The first offset at or behind <paramref name="offset"/> that holds data; the size if there is none.
    /// </summary>
    public long NextData(long offset) => Next(offset, wantsHole: false);

    /// <summary>The first offset at or behind <paramref name="offset"/> in a hole; the size if there is none.</summary>
    public long NextHole(long offset) => Next(offset, wantsHole: true);

    /// <summary>The chunks it refers to, each once, in the order of first use.</summary>
    public ImmutableArray<ChunkRef> Chunks()
    {
        HashSet<ChunkRef> seen = [];
        ImmutableArray<ChunkRef>.Builder chunks = ImmutableArray.CreateBuilder<ChunkRef>();
        foreach (ManifestItem item in Items)
        {
            if (item is ManifestItem.Ref reference && seen.Add(reference.Chunk))
            {
                chunks.Add(reference.Chunk);
            }
        }

        return chunks.DrainToImmutable();
    }

    /// <summary>The addresses it needs, each once, in the order of first use.</summary>
    public ImmutableArray<ChunkAddress> Addresses()
    {
        HashSet<ChunkAddress> seen = [];
        ImmutableArray<ChunkAddress>.Builder addresses = ImmutableArray.CreateBuilder<ChunkAddress>();
        foreach (ManifestItem item in Items)
        {
            if (item is ManifestItem.Ref reference && seen.Add(reference.Chunk.Address))
            {
                addresses.Add(reference.Chunk.Address);
            }
        }

        return addresses.DrainToImmutable();
    }

    /// <summary>The same items: then the same bytes (the reverse need not hold).</summary>
    public bool Equals(Manifest? other) =>
        other is not null && SizeBytes == other.SizeBytes && Items.AsSpan().SequenceEqual(other.Items.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Manifest);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)(SizeBytes ^ (SizeBytes >> 32)) ^ (Items.Length << 20);

    /// <inheritdoc/>
    public override string ToString() => $"{SizeBytes} bytes in {Items.Length} items";

    private void CopyUpTo(ManifestBuilder builder, long end)
    {
        long inside = Math.Min(end, SizeBytes) - builder.SizeBytes;
        if (inside > 0)
        {
            builder.Append(this, builder.SizeBytes, inside);
        }

        builder.AppendHole(end - builder.SizeBytes);
    }

    private long Next(long offset, bool wantsHole)
    {
        if (offset >= SizeBytes)
        {
            return SizeBytes;
        }

        for (int index = Locate(offset).Index; index < Items.Length; index++)
        {
            if (Items[index] is ManifestItem.Hole == wantsHole)
            {
                return Math.Max(offset, _starts[index]);
            }
        }

        return SizeBytes;
    }
}
