using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Manifests;

/// <summary>Puts a manifest together from front to back, joining neighbours that are one run.</summary>
public sealed class ManifestBuilder
{
    private readonly ImmutableArray<ManifestItem>.Builder _items = ImmutableArray.CreateBuilder<ManifestItem>();

    /// <summary>Bytes appended so far.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>Adds an item at the end.</summary>
    /// <returns>Whether it was joined to the item before it.</returns>
    public bool Append(ManifestItem item)
    {
        Invariant.That(item.LengthBytes <= long.MaxValue - SizeBytes, "a file longer than any offset");
        SizeBytes += item.LengthBytes;
        if (_items.Count > 0 && _items[^1].Join(item) is { } joined)
        {
            _items[^1] = joined;
            return true;
        }

        _items.Add(item);
        return false;
    }

    /// <summary>Adds a hole at the end; none if the length is 0.</summary>
    public void AppendHole(long lengthBytes)
    {
        if (lengthBytes > 0)
        {
            Append(new ManifestItem.Hole(lengthBytes));
        }
    }

    /// <summary>Adds bytes at the end, as as many inline items as they need.</summary>
    public void AppendInline(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int take = Math.Min(bytes.Length, ManifestItem.Inline.BytesMax);
            Append(new ManifestItem.Inline(bytes[..take]));
            bytes = bytes[take..];
        }
    }

    /// <summary>Adds all of a manifest at the end.</summary>
    public void Append(Manifest source) => Append(source, 0, source.SizeBytes);

    /// <summary>Adds a range of a manifest at the end; the range lies inside it.</summary>
    public void Append(Manifest source, long offset, long lengthBytes)
    {
        Invariant.That(
            offset >= 0 && lengthBytes >= 0 && lengthBytes <= source.SizeBytes - offset,
            $"range {offset}+{lengthBytes} of {source.SizeBytes} bytes");
        if (lengthBytes == 0)
        {
            return;
        }

        ManifestPosition at = source.Locate(offset);
        for (int index = at.Index; lengthBytes > 0; index++)
        {
            ManifestItem item = source.Items[index];
            long skip = index == at.Index ? at.OffsetInItem : 0;
            long take = Math.Min(item.LengthBytes - skip, lengthBytes);
            Append(take == item.LengthBytes ? item : item.Slice(skip, take));
            lengthBytes -= take;
        }
    }

    /// <summary>The manifest of what was appended; the builder may go on.</summary>
    public Manifest Build() => _items.Count == 0 ? Manifest.Empty : new Manifest(_items.ToImmutable());
}
