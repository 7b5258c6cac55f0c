namespace Cairn.Storage.Packs;

/// <summary>Which large reads of packs were made lately: what is read again is worth a place in the host's cache.</summary>
/// <remarks>
/// A table of fixed size where a newer place takes an older one's slot: what it forgets is read from the device once more. With
/// reads of 1 MiB it goes back over a few gibibytes. Thread: any; allocates nothing after it was made.
/// </remarks>
internal sealed class RecentReads
{
    private const int SlotBits = 12;
    private readonly ulong[] _places = new ulong[1 << SlotBits];

    /// <summary>Whether the same place was asked about lately; it is remembered.</summary>
    /// <param name="pack">The pack's number.</param>
    /// <param name="offset">Where in it the read begins.</param>
    internal bool IsAgain(uint pack, long offset)
    {
        // Fibonacci hashing (Knuth, volume 3, 6.4). A pack has less than 4 GiB, and none the number 0.
        ulong place = ((ulong)pack << 32) | (uint)offset;
        ulong slot = (place * 0x9E37_79B9_7F4A_7C15) >> (64 - SlotBits);
        return Interlocked.Exchange(ref _places[slot], place) == place;
    }
}
