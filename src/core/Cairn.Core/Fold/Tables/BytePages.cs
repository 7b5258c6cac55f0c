namespace Cairn.Core.Fold.Tables;

/// <summary>Takes bytes in, one after the other, and keeps them in few large arrays.</summary>
/// <remarks>
/// A garbage collector pays for the objects that stay: it follows and moves each. Pages of this size it neither moves nor
/// looks into, however many records lie in them. A page goes when nobody has a part of it any more.
/// </remarks>
internal sealed class BytePages
{
    /// <summary>Above 85,000 bytes the collector does not move an array.</summary>
    private const int PageBytesMax = 128 << 10;

    /// <summary>A table of a few records takes no more.</summary>
    private const int PageBytesMin = 512;

    /// <summary>Longer ones get an array of their own, not to leave much of a page empty.</summary>
    private const int SharedMax = PageBytesMax / 8;

    private byte[] _page = [];
    private int _used;

    /// <summary>All bytes that were taken in, those that nobody needs any more among them.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Keeps a copy.</summary>
    internal TableBytes Append(ReadOnlySpan<byte> bytes)
    {
        Bytes += bytes.Length;
        if (bytes.Length > SharedMax)
        {
            return TableBytes.Of(bytes.ToArray());
        }

        if (bytes.Length > _page.Length - _used)
        {
            int length = Math.Clamp(2 * Math.Max(_page.Length, bytes.Length), PageBytesMin, PageBytesMax);
            (_page, _used) = (GC.AllocateUninitializedArray<byte>(length), 0);
        }

        bytes.CopyTo(_page.AsSpan(_used));
        var kept = new TableBytes(_page, _used, bytes.Length);
        _used += bytes.Length;
        return kept;
    }
}
