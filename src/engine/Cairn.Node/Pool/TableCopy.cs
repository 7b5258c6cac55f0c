using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Logs;
using Cairn.Node.Peers;
using Cairn.Node.Ports;

namespace Cairn.Node.Pool;

/// <summary>Takes the table of a volume with a long history from an admin's node, before the volume is opened here first.</summary>
/// <remarks>
/// An admin's word is enough because an admin decides whose word counts at all; all signed blocks come afterwards
/// (docs/decisions/compaction.md). When it cannot be had, the volume is opened without it. Thread: the engine's loop.
/// </remarks>
internal sealed class TableCopy(NodePorts ports, PoolView view, PeerSet peers, LogSync sync, NodeDiary diary)
{
    private readonly SortedSet<VolumeId> _running = [];
    private readonly SortedSet<VolumeId> _tried = [];
    private bool _isStopped;

    /// <summary>How many transactions make a history long.</summary>
    public required long TransactionsMin { get; init; }

    /// <summary>One is there, or cannot be had.</summary>
    public event Action? Ended;

    /// <summary>Whether the opening of a volume waits; begins to copy its table, if that is worth it.</summary>
    /// <param name="volume">Not open; this node has its keys.</param>
    /// <param name="makeTable">The index of the volume, if the node has nothing of its history; it is disposed here.</param>
    public bool IsAwaited(VolumeId volume, Func<IIndexStore?> makeTable)
    {
        if (_running.Contains(volume))
        {
            return true;
        }

        if (_isStopped || _tried.Contains(volume) || Giver(volume) is not { } link || makeTable() is not { } table)
        {
            return false;
        }

        _tried.Add(volume);
        _running.Add(volume);
        ports.Workers.Start("table copy", () => Run(link, volume, table));
        return true;
    }

    /// <summary>Copies no more.</summary>
    public void Stop() => _isStopped = true;

    private PeerLink? Giver(VolumeId volume) => peers.Links.FirstOrDefault(link =>
        link.Version >= ProtocolVersion.Tables && view.CanRead(volume, link.Peer)
        && view.State.Members.TryGetValue(link.Peer, out Member? member) && member.IsAuthority
        && Transactions(sync.ConfirmedBy(link.Peer, volume)) >= TransactionsMin);

    private static long Transactions(LogPositions positions) =>
        positions.Logs.Sum(static log => (long)log.Value.TransactionSeq);

    private async Task Run(PeerLink link, VolumeId volume, IIndexStore table)
    {
        long records = await Fill(link, volume, new TableFill(table));
        table.Dispose();
        _running.Remove(volume);
        diary.Add(
            LogLevel.Info, "volumes",
            records < 0
                ? $"{view.NameOf(link.Peer)} gave no table of volume {volume.Short}: it is made from the history"
                : $"volume {volume.Short} begins with {records} records from {view.NameOf(link.Peer)}");
        if (!_isStopped)
        {
            Ended?.Invoke();
        }
    }

    /// <returns>How many records; negative if it failed.</returns>
    private async Task<long> Fill(PeerLink link, VolumeId volume, TableFill fill)
    {
        if (!(await ports.Workers.Run(WorkPriority.Background, fill.Begin)).IsOk)
        {
            return -1;
        }

        long records = 0;
        ulong standing = 0;
        ReadOnlyMemory<byte> after = default;
        while (!_isStopped)
        {
            using PeerReply answer = await link.Ask(number => new TableAsk(number, volume, standing, after));
            if (answer.Message is not TableReply { View: not 0 } page || (standing != 0 && page.View != standing)
                || (page.Records.Count == 0 && !page.IsEnd)
                || !(await ports.Workers.Run(WorkPriority.Background, () => fill.Add(page.Records))).IsOk)
            {
                return -1;
            }

            records += page.Records.Count;
            if (page.IsEnd)
            {
                return (await ports.Workers.Run(WorkPriority.Background, fill.Finish)).IsOk ? records : -1;
            }

            (standing, after) = (page.View, page.Records[^1].Key.ToArray());
        }

        return -1;
    }
}
