namespace Cairn.Node.Control;

/// <summary>How far a pin is fetched.</summary>
public enum PinState
{
    /// <summary>All of it is here.</summary>
    Kept,

    /// <summary>The rest is on its way.</summary>
    Fetching,

    /// <summary>No node that has the rest can be reached.</summary>
    Waiting,

    /// <summary>This node has no room for the rest.</summary>
    NoRoom,

    /// <summary>It was removed from the volume.</summary>
    Removed,

    /// <summary>All that any machine of the pool has is here; the rest is on none.</summary>
    Lacking,
}

/// <summary>A pin (<c>cairn pin ls</c>).</summary>
/// <param name="Path">What is pinned, as "VOLUME/path", where it is now.</param>
/// <param name="RecentDays">Only what was written in the last so many days; 0 is everything.</param>
/// <param name="State">How far it is.</param>
/// <param name="Files">Files of it.</param>
/// <param name="Bytes">Stored bytes of their content; small files are in the logs, on every node, and not counted.</param>
/// <param name="BytesHere">Of those, bytes that are on this node.</param>
public sealed record PinSummary(
    string Path, int RecentDays, PinState State, long Files, long Bytes, long BytesHere);

/// <summary>What <c>cairn free PATH</c> did.</summary>
/// <param name="FreedBytes">Given back.</param>
/// <param name="OwedBytes">Kept: this node is one of those that keep the pool's copies of it.</param>
/// <param name="UnconfirmedBytes">Kept: not enough other nodes confirmed now that they have it.</param>
/// <param name="PinnedBytes">Kept: another pin covers it.</param>
/// <param name="Sentence">For people.</param>
public sealed record FreeReport(
    long FreedBytes, long OwedBytes, long UnconfirmedBytes, long PinnedBytes, string Sentence);
