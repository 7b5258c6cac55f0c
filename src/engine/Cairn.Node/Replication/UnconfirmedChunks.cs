using Cairn.Core.Primitives;

namespace Cairn.Node.Replication;

/// <summary>Owed chunks that are on no other node as far as this one knows.</summary>
/// <param name="Addresses">Which.</param>
/// <param name="Bytes">Their stored bytes, without those just announced.</param>
/// <param name="Refused">Of them, how many every node that could take them had no room for.</param>
/// <param name="Unreadable">Of them, how many cannot be read here now.</param>
internal sealed record UnconfirmedChunks(
    IReadOnlySet<ChunkAddress> Addresses, long Bytes, long Refused, long Unreadable)
{
    /// <summary>Picks them out.</summary>
    public static UnconfirmedChunks Of(IEnumerable<OwedChunk> owed, IEnumerable<ChunkAddress> announced)
    {
        HashSet<ChunkAddress> addresses = [.. announced];
        long bytes = 0;
        long refused = 0;
        long unreadable = 0;
        foreach (OwedChunk chunk in owed.Where(chunk => chunk.Confirmed == 0))
        {
            addresses.Add(chunk.Address);
            bytes += chunk.Length;
            unreadable += chunk.IsUnreadable ? 1 : 0;
            refused += chunk.IsDone && chunk.Targets.Count > 0 ? 1 : 0;
        }

        return new UnconfirmedChunks(addresses, bytes, refused, unreadable);
    }
}
