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
/// Extents are kept in regions of 16 MiB and split at their borders, so that an insert moves at most one region's list. A
/// hole over whole regions is one region, however long: files may be 2^63 - 1 bytes long, most of them never written.
/// Not thread-safe: guarded by the volume's gate, or frozen.
/// </remarks>
internal sealed class ExtentMap
{
    private const int RegionBits = 24;

    private readonly List<Region> _regions = [];

    /// <summary>The extents that start in a run of regions: of one, or of several that a single hole covers.</summary>
    /// <param name="First">The first region.</param>
    /// <param name="Behind">Behind the last.</param>
    /// <param name="Extents">Disjoint, in order, none empty.</param>
    private readonly record struct Region(long First, long Behind, List<Extent> Extents);

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
            long whole = source is null && at == region << RegionBits ? (end >> RegionBits) - region : 0;
            long stop = whole > 0 ? at + (whole << RegionBits) : EndOf(region, end);
            Extent extent = new(at, stop, source, source is null ? 0 : (int)(at - start));
            if (whole > 1)
            {
                Cover(region, region + whole, extent, freed);
            }
            else
            {
                if (source is not null)
                {
                    source.Pieces++;
                }

                Insert(region, extent, freed);
            }

            at = stop;
        }
    }

    /// <summary>The extent over a byte.</summary>
    public bool TryFind(long offset, out Extent found)
    {
        long key = offset >> RegionBits;
        int place = PlaceOf(key);
        if (place < _regions.Count && _regions[place].First <= key)
        {
            List<Extent> region = _regions[place].Extents;
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
        for (int place = PlaceOf(offset >> RegionBits); place < _regions.Count; place++)
        {
            List<Extent> region = _regions[place].Extents;
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
        foreach (Region region in _regions)
        {
            foreach (Extent extent in region.Extents)
            {
                yield return extent;
            }
        }
    }

    /// <summary>Gives every source back.</summary>
    public void Clear(List<JournalExtent> freed)
    {
        foreach (Region region in _regions)
        {
            DropAll(region, freed);
        }

        _regions.Clear();
        DataBytes = 0;
    }

    /// <summary>The end of a region, or of what is put if that comes first; the last region ends behind every file.</summary>
    private static long EndOf(long region, long end) =>
        region == end >> RegionBits ? end : (region + 1) << RegionBits;

    private static void DropAll(in Region region, List<JournalExtent> freed)
    {
        foreach (Extent extent in region.Extents)
        {
            Drop(extent, freed);
        }
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

    /// <summary>The place of the first region that ends behind one's start.</summary>
    private int PlaceOf(long key)
    {
        if (_regions.Count > 0 && _regions[^1].Behind <= key)
        {
            return _regions.Count;
        }

        int low = 0;
        int high = _regions.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _regions[middle].Behind > key ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    /// <summary>A hole takes the place of whole regions.</summary>
    private void Cover(long first, long behind, in Extent hole, List<JournalExtent> freed)
    {
        SplitAt(first);
        SplitAt(behind);
        int from = PlaceOf(first);
        int to = from;
        for (; to < _regions.Count && _regions[to].First < behind; to++)
        {
            foreach (Extent old in _regions[to].Extents)
            {
                DataBytes -= old.Source is null ? 0 : old.End - old.Start;
            }

            DropAll(_regions[to], freed);
        }

        _regions.RemoveRange(from, to - from);
        _regions.Insert(from, new Region(first, behind, [hole]));
    }

    /// <summary>Cuts a hole over several regions in two, so that a region begins here.</summary>
    private void SplitAt(long key)
    {
        int place = PlaceOf(key);
        if (place == _regions.Count || _regions[place].First >= key)
        {
            return;
        }

        Region wide = _regions[place];
        Extent hole = wide.Extents[0];
        long border = key << RegionBits;
        _regions[place] = new Region(wide.First, key, [hole with { End = border }]);
        _regions.Insert(place + 1, new Region(key, wide.Behind, [hole with { Start = border }]));
    }

    private void Insert(long key, Extent extent, List<JournalExtent> freed)
    {
        SplitAt(key);
        SplitAt(key + 1);
        int place = PlaceOf(key);
        if (place == _regions.Count || _regions[place].First > key)
        {
            _regions.Insert(place, new Region(key, key + 1, []));
        }

        List<Extent> region = _regions[place].Extents;
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
