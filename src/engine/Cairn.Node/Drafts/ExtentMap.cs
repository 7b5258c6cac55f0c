using Cairn.Core.Primitives;

namespace Cairn.Node.Drafts;

/// <summary>A part of a file that a draft covers.</summary>
/// <param name="Start">First byte in the file.</param>
/// <param name="End">Behind the last byte.</param>
/// <param name="Source">The written bytes, or null for a hole.</param>
/// <param name="SourceOffset">Where <paramref name="Start"/> lies in the source.</param>
internal readonly record struct Extent(long Start, long End, JournalExtent? Source, int SourceOffset);

/// <summary>What was written to a file, the newest write on top: disjoint extents in order.</summary>
/// <remarks>
/// Extents are kept in regions of 16 MiB and split at their borders, so that an insert moves at most one region's list.
/// Not thread-safe: guarded by the volume's gate, or frozen.
/// </remarks>
internal sealed class ExtentMap
{
    private const int RegionBits = 24;

    private readonly SortedList<long, List<Extent>> _regions = [];

    /// <summary>Whether nothing was written.</summary>
    public bool IsEmpty => _regions.Count == 0;

    /// <summary>Bytes that were written and are not holes.</summary>
    public long DataBytes { get; private set; }

    /// <summary>Lays a write (or a hole, without a source) over what is there.</summary>
    /// <param name="start">First byte in the file.</param>
    /// <param name="end">Behind the last byte.</param>
    /// <param name="source">The written bytes.</param>
    /// <param name="freed">Receives sources that are not shown any more.</param>
    public void Put(long start, long end, JournalExtent? source, List<JournalExtent> freed)
    {
        Invariant.That(start >= 0 && end > start, $"extent {start} to {end}");
        for (long at = start; at < end;)
        {
            long region = at >> RegionBits;
            long stop = Math.Min(end, (region + 1) << RegionBits);
            if (source is not null)
            {
                source.Pieces++;
            }

            Insert(region, new Extent(at, stop, source, (int)(at - start)), freed);
            at = stop;
        }
    }

    /// <summary>The extent over a byte.</summary>
    public bool TryFind(long offset, out Extent found)
    {
        if (_regions.TryGetValue(offset >> RegionBits, out List<Extent>? region))
        {
            int index = FirstEndingAfter(region, offset);
            if (index < region.Count && region[index].Start <= offset)
            {
                found = region[index];
                return true;
            }
        }

        found = default;
        return false;
    }

    /// <summary>Where the first extent behind a byte starts; <see cref="long.MaxValue"/> if there is none.</summary>
    public long NextStart(long offset)
    {
        long key = offset >> RegionBits;
        for (int index = FirstRegionFrom(key); index < _regions.Count; index++)
        {
            List<Extent> region = _regions.GetValueAtIndex(index);
            int at = FirstEndingAfter(region, offset);
            if (at < region.Count)
            {
                return region[at].Start;
            }
        }

        return long.MaxValue;
    }

    /// <summary>All extents in order.</summary>
    public IEnumerable<Extent> InOrder()
    {
        for (int index = 0; index < _regions.Count; index++)
        {
            foreach (Extent extent in _regions.GetValueAtIndex(index))
            {
                yield return extent;
            }
        }
    }

    /// <summary>Gives every source back.</summary>
    public void Clear(List<JournalExtent> freed)
    {
        foreach (List<Extent> region in _regions.Values)
        {
            foreach (Extent extent in region)
            {
                Drop(extent, freed);
            }
        }

        _regions.Clear();
        DataBytes = 0;
    }

    private static void Drop(in Extent extent, List<JournalExtent> freed)
    {
        if (extent.Source is { } source && --source.Pieces == 0)
        {
            freed.Add(source);
        }
    }

    private static int FirstEndingAfter(List<Extent> region, long offset)
    {
        // Writes mostly go to the end: look there before searching.
        if (region.Count > 0 && region[^1].End <= offset)
        {
            return region.Count;
        }

        int low = 0;
        int high = region.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = region[middle].End > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private int FirstRegionFrom(long key)
    {
        int low = 0;
        int high = _regions.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _regions.GetKeyAtIndex(middle) >= key ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private void Insert(long key, Extent extent, List<JournalExtent> freed)
    {
        if (!_regions.TryGetValue(key, out List<Extent>? region))
        {
            region = [];
            _regions.Add(key, region);
        }

        DataBytes += extent.Source is null ? 0 : extent.End - extent.Start;
        int first = FirstEndingAfter(region, extent.Start);
        int last = first;
        Extent? before = null;
        Extent? after = null;
        for (; last < region.Count && region[last].Start < extent.End; last++)
        {
            Extent old = region[last];
            DataBytes -= old.Source is null ? 0 : Math.Min(old.End, extent.End) - Math.Max(old.Start, extent.Start);
            if (old.Start < extent.Start)
            {
                before = old with { End = extent.Start };
                Count(old, 1);
            }

            if (old.End > extent.End)
            {
                after = new Extent(extent.End, old.End, old.Source, old.SourceOffset + (int)(extent.End - old.Start));
                Count(old, 1);
            }

            Drop(old, freed);
        }

        region.RemoveRange(first, last - first);
        if (after is { } tail)
        {
            region.Insert(first, tail);
        }

        region.Insert(first, extent);
        if (before is { } head)
        {
            region.Insert(first, head);
        }
    }

    private static void Count(in Extent extent, int pieces)
    {
        if (extent.Source is { } source)
        {
            source.Pieces += pieces;
        }
    }
}
