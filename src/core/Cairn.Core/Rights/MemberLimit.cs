using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rights;

/// <summary>What an admin said about one member's editing of one volume.</summary>
/// <param name="MayWrite">Whether it may edit, from what the admin had not seen on.</param>
/// <param name="Seen">What the admin had of the member's logs: judged as it was before.</param>
public sealed record MemberLimit(bool MayWrite, LogPositions Seen)
{
    /// <summary>Whether the admin had a transaction when it said this.</summary>
    public bool HasSeen(TransactionId id) => id.Seq <= Seen[id.Log].TransactionSeq;
}
