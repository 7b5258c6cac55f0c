using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Storage;
using Cairn.Storage.Logs;
using Cairn.Storage.Packs;

namespace Cairn.Node.Control;

/// <summary>Damage that was found on this node's disk since the start, in words that its owner can act on.</summary>
/// <remarks>Thread: the engine's loop.</remarks>
internal sealed class DamageReport(ChunkStore chunks, LogStore logs, VolumeSet volumes, PoolView view, PeerSet peers)
{
    /// <summary>The stable word for all of it.</summary>
    public const string Code = "damage";

    private const int ChunksShownMax = 20;

    /// <summary>
    /// What is shown in the status: copies one by one, but those together that the device refused; logs by who wrote them.
    /// </summary>
    public IEnumerable<NodeProblem> Problems =>
    [
        .. chunks.Findings.GroupBy(static found => found.Error.Kind == StoreErrorKind.InputOutput).SelectMany(OfCopies),
        .. logs.Findings.GroupBy(found => (found.Volume, found.Log.Author)).Select(OfLog),
        .. volumes.Problems,
    ];

    private static IEnumerable<NodeProblem> OfCopies(IGrouping<bool, StoreFinding> found)
    {
        int refused = found.Key ? found.Count() : 0;
        return refused > 1
            ?
            [
                new NodeProblem(
                    Code,
                    $"This machine's disk refused {refused} copies: {found.Last().Error.Sentence} was the last.",
                    found.Last().Error.Advice),
            ]
            : found.TakeLast(ChunksShownMax)
                .Select(static one => new NodeProblem(Code, one.Error.Sentence + ".", one.Error.Advice));
    }

    private NodeProblem OfLog(IGrouping<(VolumeId Volume, NodeId Author), LogDamage> damage)
    {
        (VolumeId volume, NodeId author) = damage.Key;
        LogDamage newest = damage.Last();
        string where = volume == PoolLog.VolumeOf(view.Pool) ? "in the pool's own log"
            : view.State.Volumes.TryGetValue(volume, out PoolVolume? known) ? $"in the volume {known.Name}"
            : $"in the volume {volume.Short}";
        string more = damage.Count() > 1 ? $", and {damage.Count() - 1} more" : string.Empty;
        string lost = $"Part of what {view.NameOf(author)} wrote {where} was lost from this disk: "
            + $"{newest.Error.Where} ({newest.Error.Detail}){more}.";
        bool isBack = damage.Select(static found => found.Log).Distinct()
            .All(log => logs.Missing(volume, log).Count == 0 && !logs.HasLostEnd(volume, log));
        if (isBack)
        {
            return new NodeProblem(
                Code,
                lost + " It is here again.",
                "Nothing to do now. If this comes again, check this machine's disk.");
        }

        if (volumes.Find(volume) is { WaitsForLost: true })
        {
            return new NodeProblem(
                Code,
                lost + " Until it is back, changes that come late are not shown here, and what is written here may "
                    + "stay here.",
                "Start the other nodes: whoever has it sends it again. If none has it, stop this node and start it "
                    + "again (`cairn down`, `cairn up`): it goes on without it.");
        }

        return new NodeProblem(
            Code,
            lost,
            peers.Links.Count > 0
                ? "The other nodes send it again. If this comes again, check this machine's disk."
                : "Start another node: those that have it send it again.");
    }
}
