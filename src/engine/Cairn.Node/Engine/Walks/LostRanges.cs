using System.Globalization;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Node.Engine.Walks;

/// <summary>Says which bytes of a file are in some chunks.</summary>
internal static class LostRanges
{
    private const int ShownMax = 3;

    /// <summary>"bytes 0-1023, 4096-8191 of 27648"; null if none are.</summary>
    public static string? Of(Manifest manifest, IReadOnlySet<ChunkAddress> chunks)
    {
        List<(long Start, long End)> ranges = [];
        foreach ((int index, ManifestItem item) in manifest.Items.Index())
        {
            if (item is not ManifestItem.Ref part || !chunks.Contains(part.Chunk.Address))
            {
                continue;
            }

            long start = manifest.StartOf(index);
            long end = start + item.LengthBytes;
            if (ranges is [.., var last] && last.End == start)
            {
                ranges[^1] = (last.Start, end);
            }
            else
            {
                ranges.Add((start, end));
            }
        }

        if (ranges.Count == 0)
        {
            return null;
        }

        IEnumerable<string> shown = ranges.Take(ShownMax)
            .Select(range => string.Create(CultureInfo.InvariantCulture, $"{range.Start}-{range.End - 1}"));
        string more = ranges.Count > ShownMax ? " and more" : string.Empty;
        return string.Create(
            CultureInfo.InvariantCulture, $"bytes {string.Join(", ", shown)}{more} of {manifest.SizeBytes}");
    }
}
