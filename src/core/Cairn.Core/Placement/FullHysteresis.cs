namespace Cairn.Core.Placement;

/// <summary>When a node calls itself full, and when it stops: far enough apart that it does not flap.</summary>
public static class FullHysteresis
{
    /// <summary>It becomes full at this many thousandths of its capacity.</summary>
    public const int FullPermille = 970;

    /// <summary>It takes copies again at or below this many thousandths.</summary>
    public const int RoomPermille = 920;

    /// <summary>Whether the node is full now, given that it was or was not.</summary>
    /// <param name="wasFull">What it said last.</param>
    /// <param name="usedBytes">Owed copies and staged data; evictable cache does not count.</param>
    /// <param name="capacityBytes">What it gives; 0 is always full.</param>
    public static bool Next(bool wasFull, long usedBytes, long capacityBytes)
    {
        Int128 used = (Int128)usedBytes * 1000;
        return used >= (Int128)capacityBytes * FullPermille
            || (wasFull && used > (Int128)capacityBytes * RoomPermille);
    }
}
