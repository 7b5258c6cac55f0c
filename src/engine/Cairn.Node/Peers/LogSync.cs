using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Ports;
using Cairn.Storage;

namespace Cairn.Node.Peers;

/// <summary>Keeps the replicated logs of all connected members the same: new blocks are pushed at once, the rest is caught up.</summary>
/// <remarks>
/// Each side says its positions when a link comes up and after it took blocks in or made some; whoever sees that the other lacks
/// something sends it, so much at a time as a window allows (<see cref="LogPeer"/>). A block is sent at most once per link
/// unless the peer's positions say that it did not arrive.
/// Thread: the engine's loop.
/// </remarks>
internal sealed partial class LogSync
{
    private const int MessageBytesMax = 4 << 20;

    /// <summary>So much is remembered about volumes that are not open here: which those are, a peer may invent.</summary>
    private const int StatesMax = 4096;

    /// <summary>Every so many times all are told.</summary>
    private const int ReconcileAllEvery = 10;

    private static readonly TimeSpan RelayAfter = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan TellBeginningsAfter = TimeSpan.FromSeconds(30);

    private readonly SortedDictionary<VolumeId, ISharedLog> _logs = [];
    private readonly Dictionary<(NodeId Peer, VolumeId Volume), LogPeer> _peers = [];
    private readonly SortedDictionary<VolumeId, Inbox> _inboxes = [];
    private readonly HeardPositions _heard;
    private readonly NodePorts _ports;
    private readonly PoolView _view;
    private readonly PeerSet _set;
    private readonly NodeDiary _diary;
    private readonly SortedSet<VolumeId> _toRelay = [];
    private int _reconciled;
    private bool _isStopped;

    /// <summary>Begins with no log.</summary>
    public LogSync(NodePorts ports, PoolView view, PeerSet set, NodeDiary diary)
    {
        _ports = ports;
        _view = view;
        _set = set;
        _diary = diary;
        _heard = new HeardPositions(ports.Disk);
        view.IsLevel = IsLevel;
        set.Connected += OnConnected;
        set.Disconnected += Forget;
    }

    /// <summary>A peer's confirmed positions changed, or a log's own.</summary>
    public event Action? Progress;

    /// <summary>Shares a log from now on.</summary>
    public void Add(ISharedLog log)
    {
        _resting.Remove(log.Volume);
        _logs.Add(log.Volume, log);
        _inboxes.Add(log.Volume, new Inbox());
        log.BlocksReady += () => _ports.Workers.Start("log push", () => Push(log));
        Say(log, _set.Links);
        foreach (PeerLink link in _set.Links)
        {
            if (StateOf(link, log.Volume) is { HasSpoken: true } state)
            {
                // It said what it holds before there was a log here, and need not say it again.
                _heard.Note(link.Peer, log.Volume, state.Confirmed);
                SendMissing(link, log, state);
            }
        }
    }

    /// <summary>Stops sharing a log.</summary>
    public void Remove(VolumeId volume)
    {
        _logs.Remove(volume);
        _inboxes.Remove(volume);
    }

    /// <summary>Nothing is left of a volume, here or anywhere: what peers said of it is forgotten, too.</summary>
    public void Forget(VolumeId volume)
    {
        _heard.Forget(volume);
        _resting.Remove(volume);
        foreach ((NodeId, VolumeId) known in _peers.Keys.Where(known => known.Volume == volume).ToArray())
        {
            _peers.Remove(known);
        }
    }

    /// <summary>Stops.</summary>
    public void Stop() => _isStopped = true;

    /// <summary>Whether a peer is connected.</summary>
    public bool IsConnected(NodeId peer) => _set.Find(peer) is { IsClosed: false };

    /// <summary>What a connected peer said it holds of a volume, open here or not; empty for one that is not connected.</summary>
    public LogPositions ConfirmedBy(NodeId peer, VolumeId volume) =>
        _peers.TryGetValue((peer, volume), out LogPeer? state) ? state.Confirmed : LogPositions.Empty;

    /// <summary>Whether everything that connected members said they hold is held here; not before all of them said it.</summary>
    /// <remarks>Of a purged volume nobody says anything any more: they have deleted its logs.</remarks>
    public bool IsCaughtUp() => _set.Links.Count > 0 && _logs.Values.Where(log => !IsPurged(log)).All(log => _set.Links
        .Where(link => _view.CanRead(log.Volume, link.Peer)).Select(link => StateOf(link, log.Volume))
        .All(state => state.IsGreeted && log.Positions.Covers(state.Confirmed)));

    /// <summary>Whether every block held here is with all connected nodes that can open its volume, and on enough nodes.</summary>
    /// <param name="copies">Copies that a chunk has; of a volume that fewer nodes can open, so many as they are.</param>
    /// <remarks>A node that is away counts for what it confirmed last: what is on its disk is there.</remarks>
    public bool IsSafe(int copies) => Unconfirmed() == 0 && _logs.Values.All(log => IsOnEnough(log, copies));

    private bool IsPurged(ISharedLog log) =>
        _view.State.Volumes.TryGetValue(log.Volume, out PoolVolume? volume) && volume.IsPurged;

    private bool IsOnEnough(ISharedLog log, int copies)
    {
        NodeId[] readers = [.. _view.Readers(log.Volume)];
        int holders = readers.Count(node => node == _view.Self
            || log.Positions.BlocksBeyond(_heard.Of(node, log.Volume)) == 0);
        return holders >= Math.Min(copies, readers.Length);
    }

    /// <summary>What other nodes that are counted on said they hold of a volume, now or before they went away.</summary>
    public LogPositions Elsewhere(VolumeId volume) =>
        _heard.Joined(_view.Readers(volume).Where(node => node != _view.Self), volume);

    /// <summary>How many blocks no other node said it holds.</summary>
    public long OnlyHere() => _logs.Values.Sum(log => log.Positions.BlocksBeyond(Elsewhere(log.Volume)));

    /// <summary>Whether a link ended since <see cref="Save"/>: what that peer said is all there will be for a while.</summary>
    public bool HasLostPeer { get; private set; }

    /// <summary>Keeps what peers said over restarts. Blocks for a sync if something is new.</summary>
    public Result<Unit, StoreError> Save()
    {
        HasLostPeer = false;
        return _heard.Save();
    }

    /// <summary>Says all positions to all peers that may not know them, or miss something: what was lost is noticed.</summary>
    /// <remarks>
    /// Those that were told, and said that they hold the same, hear it now and then only: in a pool at rest these would be most of
    /// all messages, one for each two members and each volume.
    /// </remarks>
    public void Reconcile()
    {
        bool isToAll = ++_reconciled % ReconcileAllEvery == 0;
        foreach (ISharedLog log in _logs.Values)
        {
            LogPositions word = log.Word;
            Say(log, isToAll ? _set.Links : _set.Links.Where(link => !IsSettled(StateOf(link, log.Volume), log, word)));
            Settle(log);
        }
    }

    private static bool IsSettled(LogPeer state, ISharedLog log, LogPositions word) =>
        state.IsGreeted && word.Equals(state.Told)
        && log.Positions.Covers(state.Confirmed) && log.Positions.BlocksBeyond(state.Confirmed) == 0;

    /// <summary>A peer says what it holds.</summary>
    public void OnPositions(PeerLink link, LogPositionsMessage message)
    {
        bool isOpen = _logs.TryGetValue(message.Volume, out ISharedLog? log);
        WireReader reader = new(message.Positions.Span);
        LogPositions theirs = LogPositions.Decode(
            ref reader,
            isOpen ? log!.Positions : _resting.GetValueOrDefault(message.Volume, LogPositions.Empty),
            ConfirmedBy(link.Peer, message.Volume));
        if (!reader.Complete)
        {
            link.Close(GoodbyeReason.ProtocolError);
            return;
        }

        if (!isOpen && _peers.Count >= StatesMax)
        {
            return;
        }

        LogPeer state = StateOf(link, message.Volume);
        state.Says(theirs);
        if (log is null)
        {
            AnswerResting(link, message.Volume, state);
            return;
        }

        _heard.Note(link.Peer, message.Volume, state.Confirmed);
        SendMissing(link, log, state);
        TellBeginnings(link, log, state);
        if (!log.Positions.Covers(theirs) && _ports.Time.GetElapsedTime(state.LastAsked) > RelayAfter)
        {
            state.LastAsked = _ports.Time.GetTimestamp();
            Say(log, [link]);
        }

        Settle(log);
        Progress?.Invoke();
    }

    /// <summary>A peer sends blocks; the frame is disposed when they are taken in.</summary>
    public void OnBlocks(PeerLink link, LogBlocks message, IFrame frame) =>
        Enqueue(message.Volume, new Arrival(link, message.Blocks, frame, IsBeginning: false));

    /// <summary>A peer dropped blocks that are lacking here; the frame is disposed when that was looked at.</summary>
    public void OnBegins(PeerLink link, LogBegins message, IFrame frame) =>
        Enqueue(message.Volume, new Arrival(link, message.Blocks, frame, IsBeginning: true));

    /// <summary>Where logs of a volume begin with peers of which this node lacks what is before, and nobody else has it.</summary>
    public LogBeginnings OutOfReach(VolumeId volume)
    {
        if (!_logs.TryGetValue(volume, out ISharedLog? log))
        {
            return LogBeginnings.None;
        }

        LogPeer[] peers = [.. _set.Links.Where(link => _view.CanRead(volume, link.Peer))
            .Select(link => StateOf(link, volume))];
        SortedDictionary<LogId, LogBeginning> first = [];
        foreach ((LogId id, LogBeginning begins) in peers.SelectMany(peer => peer.OutOfReach.Logs))
        {
            ulong here = log.Positions[id].BlockSeq;
            bool isLacking = here < begins.BlockSeq
                && !peers.Any(peer => peer.OutOfReach[id].IsFirst && peer.Confirmed[id].BlockSeq > here);
            if (isLacking && (!first.TryGetValue(id, out LogBeginning known) || begins.BlockSeq < known.BlockSeq))
            {
                first[id] = begins;
            }
        }

        return LogBeginnings.From(first);
    }

    private void Enqueue(VolumeId volume, Arrival arrival)
    {
        if (!_logs.TryGetValue(volume, out ISharedLog? log))
        {
            arrival.Frame.Dispose();
            Roused?.Invoke(volume);
            return;
        }

        Inbox inbox = _inboxes[volume];
        inbox.Waiting.Enqueue(arrival);
        if (!inbox.IsBusy)
        {
            inbox.IsBusy = true;
            _ports.Workers.Start("log receive", () => Drain(log, inbox));
        }
    }

    private async Task Drain(ISharedLog log, Inbox inbox)
    {
        List<PeerLink> senders = [];
        while (inbox.Waiting.TryDequeue(out Arrival? next))
        {
            using (next.Frame)
            {
                await Take(log, next);
            }

            if (!senders.Contains(next.Link))
            {
                senders.Add(next.Link);
            }
        }

        inbox.IsBusy = false;
        Say(log, senders);
        Settle(log);
        Progress?.Invoke();
        PlanRelay(log.Volume);
    }

    private async Task Take(ISharedLog log, Arrival next)
    {
        if (next.IsBeginning)
        {
            LogPeer state = StateOf(next.Link, log.Volume);
            LogBeginnings beyond = await log.HearBeginnings(next.Blocks);
            state.OutOfReach = LogBeginnings.From(
                state.OutOfReach.Logs.Where(known => beyond[known.Key].IsFirst).Concat(beyond.Logs));
            return;
        }

        Result<Unit, string> taken = await log.Receive(next.Blocks);
        if (!taken.TryGet(out _, out string? problem))
        {
            _diary.Add(LogLevel.Warning, "log sync", $"{next.Link.Peer.Short} sent {problem}");
        }
    }

    /// <summary>Once every connected reader has said what it holds, a log that lost its own end learns what can come back.</summary>
    /// <remarks>A reader that is away counts with what it said last: what it holds is waited for.</remarks>
    private void Settle(ISharedLog log)
    {
        if (!log.AwaitsWord)
        {
            return;
        }

        PeerLink[] present = [.. _set.Links.Where(link => _view.CanRead(log.Volume, link.Peer))];
        if (present.Length > 0 && Array.TrueForAll(present, link => StateOf(link, log.Volume).IsGreeted))
        {
            log.Settle(_heard.Joined(
                _view.State.ActiveNodes.Select(static member => member.Node)
                    .Where(node => node != _view.Self && _view.CanRead(log.Volume, node)),
                log.Volume));
        }
    }

    /// <summary>Others may not have heard from the author: they are told what is here of that log, a moment later.</summary>
    private void PlanRelay(VolumeId volume)
    {
        if (_set.Links.Count > 1)
        {
            PlanWord(volume);
        }
    }

    private void PlanWord(VolumeId volume)
    {
        if (_toRelay.Add(volume) && _toRelay.Count == 1)
        {
            _ports.Workers.Start("log relay", Relay);
        }
    }

    private async Task Relay()
    {
        await Task.Delay(RelayAfter, _ports.Time);
        VolumeId[] changed = [.. _toRelay];
        _toRelay.Clear();
        foreach (VolumeId volume in changed)
        {
            if (!_isStopped && _logs.TryGetValue(volume, out ISharedLog? log))
            {
                LogPositions word = log.Word;
                Say(log, _set.Links.Where(link => !word.Equals(StateOf(link, volume).Told)));
                Settle(log);
            }
        }
    }

    private Task Push(ISharedLog log)
    {
        foreach (PeerLink link in _set.Links)
        {
            LogPeer state = StateOf(link, log.Volume);
            if (state.IsGreeted)
            {
                SendMissing(link, log, state);
            }
        }

        // Who is sent this node's own blocks says that it has them, and must hear that this node has them, too.
        PlanWord(log.Volume);
        return Task.CompletedTask;
    }

    private void OnConnected(PeerLink link)
    {
        foreach (ISharedLog log in _logs.Values)
        {
            Say(log, [link]);
        }
    }

    private void Say(ISharedLog log, IEnumerable<PeerLink> to)
    {
        LogPositions word = log.Word;
        ReadOnlyMemory<byte>? message = null;
        foreach (PeerLink link in to)
        {
            if (_set.Find(link.Peer) == link)
            {
                // Of one that has ended, another link may be there already: what is known of that stays.
                StateOf(link, log.Volume).Told = word;
            }

            link.SendEncoded(message ??= Encode(log.Volume, word));
        }
    }

    private static ReadOnlyMemory<byte> Encode(VolumeId volume, LogPositions word)
    {
        ArrayBufferWriter<byte> output = new(256);
        word.Encode(new WireWriter(output));
        return PeerLink.Encode(new LogPositionsMessage(volume, output.WrittenMemory));
    }

    private static void SendMissing(PeerLink link, ISharedLog log, LogPeer state)
    {
        state.IsGreeted = true;
        while (!link.IsClosed && state.HasRoom)
        {
            IReadOnlyList<SharedBlock> blocks = log.BlocksAfter(state.Sent, MessageBytesMax - LogBlock.EncodedBytesMax);
            if (blocks.Count == 0)
            {
                return;
            }

            state.Sends(blocks);
            link.Send(new LogBlocks(log.Volume, [.. blocks.Select(block => block.Bytes)]));
        }
    }

    /// <summary>Where the logs begin of which a peer lacks blocks that were dropped here: no such block can be sent.</summary>
    private void TellBeginnings(PeerLink link, ISharedLog log, LogPeer state)
    {
        bool isTold = state.LastTold is { } told && _ports.Time.GetElapsedTime(told) < TellBeginningsAfter;
        if (isTold || link.Version < ProtocolVersion.Beginnings || !_view.CanRead(log.Volume, link.Peer))
        {
            return;
        }

        Queue<ReadOnlyMemory<byte>> first = new(log.FirstKept(state.Confirmed));
        while (first.Count > 0)
        {
            state.LastTold = _ports.Time.GetTimestamp();
            List<ReadOnlyMemory<byte>> some = [first.Dequeue()];
            for (int bytes = some[0].Length; first.TryPeek(out ReadOnlyMemory<byte> next);)
            {
                bytes += next.Length;
                if (bytes > MessageBytesMax)
                {
                    break;
                }

                some.Add(first.Dequeue());
            }

            link.Send(new LogBegins(log.Volume, some));
        }
    }

    private void Forget(PeerLink link)
    {
        foreach ((NodeId, VolumeId) known in _peers.Keys.Where(known => known.Peer == link.Peer).ToArray())
        {
            _peers.Remove(known);
        }

        HasLostPeer = true;
        Progress?.Invoke();
    }

    private LogPeer StateOf(PeerLink link, VolumeId volume)
    {
        if (!_peers.TryGetValue((link.Peer, volume), out LogPeer? state) || state.Link != link)
        {
            state = new LogPeer(link, _ports.Time);
            _peers[(link.Peer, volume)] = state;
        }

        return state;
    }

    /// <summary>Blocks that came: to be taken in, or the first that the sender has.</summary>
    private sealed record Arrival(
        PeerLink Link, IReadOnlyList<ReadOnlyMemory<byte>> Blocks, IFrame Frame, bool IsBeginning);

    private sealed class Inbox
    {
        public Queue<Arrival> Waiting { get; } = new();

        public bool IsBusy { get; set; }
    }
}
