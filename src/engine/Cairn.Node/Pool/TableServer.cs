using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Node.Replication;

namespace Cairn.Node.Pool;

/// <summary>Gives newcomers a checkpoint or the table of a volume, page by page, from a view of an index that stands still.</summary>
/// <remarks>
/// One view for each peer and volume; it is closed at the end, and when nobody asks any more. Thread: the engine's loop.
/// </remarks>
internal sealed class TableServer(NodePorts ports, PoolView view, VolumeSet volumes, RateLimiter limiter)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    private readonly SortedDictionary<(NodeId Peer, VolumeId Volume), Given> _given = [];
    private ulong _lastView;
    private bool _isStopped;

    /// <summary>A peer wants records of a table, or of a checkpoint.</summary>
    public void OnAsk(PeerLink link, PeerMessage message)
    {
        Asked asked = message is CheckpointAsk of
            ? new Asked(of.Request, of.Volume, of.Hash, 0, of.After.ToArray())
            : message is TableAsk table
                ? new Asked(table.Request, table.Volume, null, table.View, table.After.ToArray())
                : throw new InvariantException($"no table is asked for by {message.Tag}");
        ports.Workers.Start("table page", () => Serve(link, asked));
    }

    /// <summary>Closes what nobody asked for in a while.</summary>
    public void Upkeep()
    {
        foreach (((NodeId, VolumeId) whose, Given given) in _given.ToArray())
        {
            if (ports.Time.GetElapsedTime(given.LastAsked) > KeptFor)
            {
                Close(whose, given);
            }
        }
    }

    /// <summary>Closes all; what is being read, when it was.</summary>
    public void Stop()
    {
        _isStopped = true;
        foreach (((NodeId, VolumeId) whose, Given given) in _given.ToArray())
        {
            Close(whose, given);
        }
    }

    private async Task Serve(PeerLink link, Asked ask)
    {
        (NodeId, VolumeId) whose = (link.Peer, ask.Volume);
        bool isFirst = ask.Checkpoint is null
            ? ask.View == 0
            : _given.GetValueOrDefault(whose)?.Checkpoint != ask.Checkpoint;
        if (isFirst)
        {
            await Begin(whose, ask);
        }

        Given? given = _given.GetValueOrDefault(whose);
        if (given is null || given.Checkpoint != ask.Checkpoint || (ask.View != 0 && ask.View != given.View))
        {
            link.Send(new TableReply(ask.Request, 0, [], IsEnd: true));
            return;
        }

        given.LastAsked = ports.Time.GetTimestamp();
        given.Enter();
        Result<TablePage, IndexError> read =
            await ports.Workers.Run(WorkPriority.Background, () => TablePage.After(given.Table, ask.After));
        given.Leave();
        if (!read.TryGet(out TablePage? page, out _) || page.IsEnd)
        {
            Close(whose, given);
        }

        if (page is not null)
        {
            await limiter.Wait(page.Records.Sum(static record => record.Key.Length + record.Value.Length));
        }

        link.Send(page is null
            ? new TableReply(ask.Request, 0, [], IsEnd: true)
            : new TableReply(ask.Request, given.View, page.Records, page.IsEnd));
    }

    private async Task Begin((NodeId Peer, VolumeId Volume) whose, Asked ask)
    {
        if (_given.TryGetValue(whose, out Given? before))
        {
            Close(whose, before);
        }

        if (view.CanRead(ask.Volume, whose.Peer) && volumes.FindKept(ask.Volume) is { } hosted
            && await ports.Workers.Run(WorkPriority.Background, () => View(hosted, ask.Checkpoint)) is { } table)
        {
            Given given = new(++_lastView, table, ask.Checkpoint) { LastAsked = ports.Time.GetTimestamp() };
            if (_isStopped || !_given.TryAdd(whose, given))
            {
                table.Dispose();
            }
        }
    }

    private static IIndexStore? View(IHostedVolume hosted, Bytes32? checkpoint) =>
        checkpoint is { } hash ? hosted.ViewCheckpoint(hash) : hosted.ViewTable();

    private void Close((NodeId, VolumeId) whose, Given given)
    {
        if (_given.TryGetValue(whose, out Given? now) && ReferenceEquals(now, given))
        {
            _given.Remove(whose);
            given.Close();
        }
    }

    /// <param name="Checkpoint">The hash of one; null for the table as it is now.</param>
    private sealed record Asked(ulong Request, VolumeId Volume, Bytes32? Checkpoint, ulong View, byte[] After);

    private sealed class Given(ulong view, IIndexStore table, Bytes32? checkpoint)
    {
        private int _readers;
        private bool _isClosed;

        public Bytes32? Checkpoint { get; } = checkpoint;

        public ulong View { get; } = view;

        public IIndexStore Table { get; } = table;

        public long LastAsked { get; set; }

        /// <summary>A page is being read from it.</summary>
        public void Enter() => _readers++;

        /// <summary>The page is read.</summary>
        public void Leave()
        {
            _readers--;
            DisposeIfUnused();
        }

        /// <summary>Nobody begins to read from it any more.</summary>
        public void Close()
        {
            _isClosed = true;
            DisposeIfUnused();
        }

        private void DisposeIfUnused()
        {
            if (_isClosed && _readers == 0)
            {
                Table.Dispose();
            }
        }
    }
}
