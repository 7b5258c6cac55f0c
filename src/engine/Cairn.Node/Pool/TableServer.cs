using Cairn.Core.Fold;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Logs;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Node.Replication;

namespace Cairn.Node.Pool;

/// <summary>Gives newcomers the table of a volume, page by page, from a view of the index that stands still.</summary>
/// <remarks>One view for each peer; it is closed at the end, and when nobody asks any more. Thread: the engine's loop.</remarks>
internal sealed class TableServer(NodePorts ports, PoolView view, VolumeSet volumes, RateLimiter limiter)
{
    private const int PageBytes = 1 << 20;
    private const int PageRecords = 1024;
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    private readonly SortedDictionary<NodeId, Given> _given = [];
    private ulong _lastView;
    private bool _isStopped;

    /// <summary>A peer wants records.</summary>
    public void OnAsk(PeerLink link, TableAsk ask) => ports.Workers.Start("table page", () => Serve(link, ask));

    /// <summary>Closes what nobody asked for in a while.</summary>
    public void Upkeep()
    {
        foreach ((NodeId peer, Given given) in _given.ToArray())
        {
            if (!given.IsRead && ports.Time.GetElapsedTime(given.LastAsked) > KeptFor)
            {
                Close(peer);
            }
        }
    }

    /// <summary>Closes all; what is being read, when it was.</summary>
    public void Stop()
    {
        _isStopped = true;
        foreach ((NodeId peer, Given given) in _given.ToArray())
        {
            if (!given.IsRead)
            {
                Close(peer);
            }
        }
    }

    private async Task Serve(PeerLink link, TableAsk ask)
    {
        if (ask.View == 0)
        {
            await Begin(link.Peer, ask.Volume);
        }

        Given? given = _given.GetValueOrDefault(link.Peer);
        if (given is null || given.IsRead || (ask.View != 0 && ask.View != given.View))
        {
            link.Send(new TableReply(ask.Request, 0, [], IsEnd: true));
            return;
        }

        (given.IsRead, given.LastAsked) = (true, ports.Time.GetTimestamp());
        byte[] after = ask.After.ToArray();
        Result<Page, IndexError> read =
            await ports.Workers.Run(WorkPriority.Background, () => Read(given.Table, after));
        given.IsRead = false;
        if (!read.TryGet(out Page? page, out _) || page.IsEnd || _isStopped)
        {
            Close(link.Peer);
        }

        if (page is not null)
        {
            await limiter.Wait(page.Records.Sum(static record => record.Key.Length + record.Value.Length));
        }

        link.Send(page is null
            ? new TableReply(ask.Request, 0, [], IsEnd: true)
            : new TableReply(ask.Request, given.View, page.Records, page.IsEnd));
    }

    private async Task Begin(NodeId peer, VolumeId volume)
    {
        if (_given.TryGetValue(peer, out Given? before) && before.IsRead)
        {
            return;
        }

        Close(peer);
        if (view.CanRead(volume, peer) && volumes.Find(volume) is { } hosted
            && await ports.Workers.Run(WorkPriority.Background, hosted.ViewTable) is { } table)
        {
            if (_isStopped || _given.ContainsKey(peer))
            {
                table.Dispose();
                return;
            }

            _given.Add(peer, new Given(++_lastView, table) { LastAsked = ports.Time.GetTimestamp() });
        }
    }

    private void Close(NodeId peer)
    {
        if (_given.Remove(peer, out Given? given))
        {
            given.Table.Dispose();
        }
    }

    private static Result<Page, IndexError> Read(IIndexStore table, byte[] after)
    {
        var records = new List<TableRecordBytes>();
        int bytes = 0;
        byte[] from = after.Length == 0 ? [] : [.. after, 0];
        while (true)
        {
            // What lies between are the node's own records.
            byte[] to = from is [>= IndexTable.NodesOwn, ..] ? [] : [IndexTable.NodesOwn];
            Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> found = table.Scan(from, to, PageRecords);
            if (!found.IsOk)
            {
                return found.Error;
            }

            foreach ((byte[] key, byte[] value) in found.Value)
            {
                records.Add(new TableRecordBytes(key, value));
                bytes += key.Length + value.Length;
                if (bytes >= PageBytes || records.Count == TableReply.CountMax)
                {
                    return new Page(records, IsEnd: false);
                }
            }

            if (found.Value.Count == PageRecords)
            {
                from = [.. found.Value[^1].Key, 0];
            }
            else if (to.Length == 0)
            {
                return new Page(records, IsEnd: true);
            }
            else
            {
                from = [FoldKeys.Reserved];
            }
        }
    }

    private sealed record Page(IReadOnlyList<TableRecordBytes> Records, bool IsEnd);

    private sealed class Given(ulong view, IIndexStore table)
    {
        public ulong View { get; } = view;

        public IIndexStore Table { get; } = table;

        public long LastAsked { get; set; }

        /// <summary>Whether a page is being read from it.</summary>
        public bool IsRead { get; set; }
    }
}
