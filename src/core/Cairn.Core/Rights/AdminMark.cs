using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rights;

/// <summary>A transaction that an admin wrote behind all it had seen of a volume, so that others can be asked to have seen it.</summary>
/// <param name="Seen">What the admin had of the volume's logs.</param>
/// <param name="After">The transaction.</param>
public sealed record AdminMark(LogPositions Seen, TransactionId After)
{
    internal const int BytesMin = 1 + NodeId.Size + 2;

    /// <summary>Whether the admin had a transaction when it wrote the mark.</summary>
    public bool HasSeen(TransactionId id) => Seen.Contains(id);

    internal void Encode(WireWriter writer)
    {
        Seen.Encode(writer);
        TransactionCodec.EncodeId(writer, After);
    }

    internal static AdminMark Decode(ref WireReader reader)
    {
        LogPositions seen = LogPositions.Decode(ref reader);
        return new AdminMark(seen, TransactionCodec.DecodeId(ref reader));
    }
}
