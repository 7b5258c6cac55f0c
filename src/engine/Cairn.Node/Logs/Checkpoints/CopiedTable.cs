using Cairn.Core.Log;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>Whether a log's table came from another member, and up to where its blocks are still to come.</summary>
/// <remarks>Under the log's gate.</remarks>
internal sealed class CopiedTable(ReplicatedLog log)
{
    /// <summary>What the table had, until all blocks of that are here. Null: it is like any other.</summary>
    public LogPositions? Awaited { get; private set; }

    /// <summary>Looks whether the table was filled; before anything else is folded.</summary>
    public void Look() => Awaited = TableFill.TakeAwaited(log.Fold);

    /// <summary>Blocks came.</summary>
    public void NoteBlocks()
    {
        if (Awaited is not null && log.Exchange.Positions.Covers(Awaited))
        {
            TableFill.End(log.Fold.Table);
            Awaited = null;
        }
    }
}
