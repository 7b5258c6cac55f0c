using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Peers;
using Cairn.Node.Ports;

namespace Cairn.Node.Pool;

/// <summary>Takes what a volume with a long history begins with from other nodes, before it is opened here first.</summary>
/// <remarks>
/// A checkpoint that all members have made, or where none stands, the table of an admin's node: an admin decides whose word
/// counts at all. All signed blocks come afterwards (docs/decisions/compaction.md). When neither can be had, the volume is
/// opened without. Thread: the engine's loop.
/// </remarks>
internal sealed class TableCopy(
    NodePorts ports, PoolView view, PeerSet peers, LogSync sync, NodeDiary diary, VolumeTransfers transfers)
{
    private readonly CheckpointCopy _checkpoints = new(ports, peers, transfers);
    private readonly SortedSet<VolumeId> _tried = [];

    /// <summary>How many transactions make a history long.</summary>
    public required long TransactionsMin { get; init; }

    /// <summary>One is there, or cannot be had.</summary>
    public event Action? Ended;

    /// <summary>Whether the opening of a volume waits; begins to copy its table, if that is worth it.</summary>
    /// <param name="volume">Not open; this node has its keys.</param>
    /// <param name="makeTable">The index of the volume, if the node has nothing of its history; it is disposed here.</param>
    public bool IsAwaited(VolumeId volume, Func<IIndexStore?> makeTable)
    {
        if (transfers.IsRunning(volume))
        {
            return true;
        }

        StandingCheckpoint? standing = view.State.Checkpoints.GetValueOrDefault(volume);
        PeerLink? giver = standing is null ? Giver(volume) : null;
        bool isUseless = transfers.IsStopped || _tried.Contains(volume) || (standing is null && giver is null);
        if (isUseless || makeTable() is not { } table)
        {
            return false;
        }

        _tried.Add(volume);
        transfers.Start(
            "table copy", volume, () => Take(volume, table, standing, giver),
            isWhole => OnEnded(volume, isWhole, standing, giver));
        return true;
    }

    private PeerLink? Giver(VolumeId volume) => peers.Links.FirstOrDefault(link =>
        link.Version >= ProtocolVersion.Tables && view.CanRead(volume, link.Peer)
        && view.State.Members.TryGetValue(link.Peer, out Member? member) && member.IsAuthority
        && Transactions(sync.ConfirmedBy(link.Peer, volume)) >= TransactionsMin);

    private static long Transactions(LogPositions positions) =>
        positions.Logs.Sum(static log => (long)log.Value.TransactionSeq);

    private async Task<bool> Take(VolumeId volume, IIndexStore table, StandingCheckpoint? standing, PeerLink? giver)
    {
        using (table)
        {
            var fill = new TableFill(table);
            return standing is not null
                ? await _checkpoints.Run(volume, standing, fill)
                : await Fill(giver!, volume, fill);
        }
    }

    private void OnEnded(VolumeId volume, bool isWhole, StandingCheckpoint? standing, PeerLink? giver)
    {
        string whose = standing is not null
            ? $"the checkpoint of {standing.Members.Length} members"
            : $"the table of {view.NameOf(giver!.Peer)}";
        diary.Add(
            LogLevel.Info, "volumes",
            isWhole
                ? $"volume {volume.Short} begins with {whose}"
                : $"volume {volume.Short} is made from the history: {whose} cannot be had");
        Ended?.Invoke();
    }

    /// <returns>Whether the table is whole.</returns>
    private async Task<bool> Fill(PeerLink link, VolumeId volume, TableFill fill)
    {
        bool isReady = (await ports.Workers.Run(WorkPriority.Background, fill.Begin)).IsOk;
        ulong standing = 0;
        while (isReady && !transfers.IsStopped)
        {
            using PeerReply answer = await link.Ask(number => new TableAsk(number, volume, standing, fill.Last));
            if (answer.Message is not TableReply { View: not 0 } page || (standing != 0 && page.View != standing)
                || (page.Records.Count == 0 && !page.IsEnd)
                || !(await ports.Workers.Run(WorkPriority.Background, () => fill.Add(page.Records))).IsOk)
            {
                return false;
            }

            if (page.IsEnd)
            {
                return (await ports.Workers.Run(WorkPriority.Background, () => fill.Finish())).IsOk;
            }

            standing = page.View;
        }

        return false;
    }
}
