namespace Cairn.Node.Replication;

/// <content>What nobody took.</content>
internal sealed partial class Replicator
{
    private readonly RoomWatch _room;

    /// <summary>
    /// Offers again what was refused: at once if a node says that it has more room, else after a while that doubles each time.
    /// Room may have come where nobody said so.
    /// </summary>
    public void RetryRefused()
    {
        bool hasRoom = _room.HasGrown();
        foreach (OwedChunk chunk in InOrder().Where(chunk => chunk.IsDone && (hasRoom || chunk.IsRested(_ports.Time))))
        {
            chunk.Rest(_ports.Time, isFirst: hasRoom);
            Target(chunk);
            FinishIfDone(chunk);
        }

        PumpAll();
        _ports.Workers.Start("read again", ReadAgain);
    }
}
