using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Peers;

namespace Cairn.Node.Replication;

/// <summary>Asks peers which owed chunks they have, before any of their bytes are sent.</summary>
/// <remarks>
/// A file that was written anew with one byte inserted is cut into the chunks it had but for one or two; a transfer that was
/// broken off left some at the other side. 32 bytes a chunk are asked and one answered, for a chunk of a megabyte. What
/// was never here before is not asked about: it would cost a round trip, and hardly any peer has it.
/// Thread: the engine's loop.
/// </remarks>
internal sealed class PriorHoldings(NodePorts ports)
{
    /// <summary>Told what a peer said of a chunk; Absent if it did not answer while it was connected.</summary>
    public required Action<Lane, OwedChunk, ChunkOutcome> Answered { get; init; }

    /// <summary>Called when a peer was asked about all there was.</summary>
    public required Action<Lane> Done { get; init; }

    /// <summary>Asks a peer about what is to be asked, unless that is under way.</summary>
    public void Ask(Lane lane)
    {
        if (!lane.IsAsking && lane.Link is { IsClosed: false } && lane.HasUnasked)
        {
            lane.IsAsking = true;
            ports.Workers.Start("ask holdings", () => AskAll(lane));
        }
    }

    private async Task AskAll(Lane lane)
    {
        try
        {
            while (lane.Link is { IsClosed: false } link && lane.NextQuestion() is { Count: > 0 } chunks)
            {
                await AskOnce(lane, link, chunks);
            }
        }
        finally
        {
            lane.IsAsking = false;
        }

        Done(lane);
    }

    private async Task AskOnce(Lane lane, PeerLink link, List<OwedChunk> chunks)
    {
        ChunkAddress[] addresses = [.. chunks.Select(chunk => chunk.Address)];
        using PeerReply reply = await link.Ask(number => new HoldingAsk(number, addresses));
        HoldingReply? answer = reply.Message as HoldingReply;
        for (int i = 0; i < chunks.Count; i++)
        {
            if (answer?.Outcomes.Count == chunks.Count)
            {
                Answered(lane, chunks[i], answer.Outcomes[i]);
            }
            else if (link.IsClosed)
            {
                lane.Enqueue(chunks[i]);
            }
            else
            {
                Answered(lane, chunks[i], ChunkOutcome.Absent);
            }
        }
    }
}
