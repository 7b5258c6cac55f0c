using System.Net;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Ports;

namespace Cairn.Node.Peers;

/// <summary>Every connection of this node: one per member, made by either side, kept up with backoff.</summary>
/// <remarks>
/// Only members that are granted and not revoked get past the hello. Of two connections between the same two nodes the one
/// made by the node with the smaller id stays, on both sides. Thread: the engine's loop.
/// </remarks>
internal sealed class PeerSet
{
    private static readonly TimeSpan HandshakeMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(200);

    private readonly SortedDictionary<NodeId, PeerLink> _links = [];
    private readonly Dictionary<NodeId, Dialer> _dialers = [];
    private readonly Dictionary<NodeId, IPEndPoint> _hints = [];
    private readonly NodePorts _ports;
    private readonly NodeOptions _options;
    private readonly PoolView _view;
    private readonly NodeDiary _diary;
    private readonly Prng _random;
    private readonly Greetings _greetings;
    private bool _isStopped;

    /// <summary>Connects nobody until <see cref="Start"/>.</summary>
    public PeerSet(NodePorts ports, NodeOptions options, PoolView view, NodeDiary diary, ulong seed)
    {
        _ports = ports;
        _options = options;
        _view = view;
        _diary = diary;
        _random = new Prng(seed);
        Refused = new RefusedPeers(ports.Time);
        Doubled = new DoubledHomes(ports.Time, view.Self);
        _greetings = new Greetings(view.MayConnect);
    }

    /// <summary>This node's own record, as told in every hello.</summary>
    public required Func<SignedNodeRecord> OwnRecord { get; init; }

    /// <summary>Takes every message of every link that is no answer, and its frame.</summary>
    public required Action<PeerLink, PeerMessage, IFrame> Handler { get; init; }

    /// <summary>Serves one who wants to join; owns the connection.</summary>
    public required Func<IConnection, PeerHello, Task> Joiner { get; init; }

    /// <summary>A link is up.</summary>
    public event Action<PeerLink>? Connected;

    /// <summary>A link is down.</summary>
    public event Action<PeerLink>? Disconnected;

    /// <summary>Who was turned away lately.</summary>
    public RefusedPeers Refused { get; }

    /// <summary>Who seems to run twice.</summary>
    public DoubledHomes Doubled { get; }

    /// <summary>The links, in the order of the peers' ids.</summary>
    public IReadOnlyCollection<PeerLink> Links => _links.Values;

    /// <summary>The link to a node, if there is one.</summary>
    public PeerLink? Find(NodeId node) => _links.GetValueOrDefault(node);

    /// <summary>Begins to listen and to connect.</summary>
    public void Start()
    {
        _ports.Workers.Start("accept", AcceptLoop);
        _view.Changed += Reconsider;
        _view.LivenessChanged += (node, liveness) => OnLiveness(node, liveness);
        Reconsider();
    }

    /// <summary>Says goodbye to everyone.</summary>
    public void Stop()
    {
        _isStopped = true;
        foreach (PeerLink link in _links.Values.ToArray())
        {
            link.Close(GoodbyeReason.Stopping);
        }

        foreach (Dialer dialer in _dialers.OrderBy(pair => pair.Key).Select(pair => pair.Value))
        {
            dialer.Kick();
        }
    }

    /// <summary>Somebody says that a member may be found there: tried next, never trusted.</summary>
    public void Hint(NodeId node, IPEndPoint address)
    {
        if (node != _view.Self && _view.MayConnect(node) && !_links.ContainsKey(node))
        {
            _hints[node] = address;
            Dial(node);
            _dialers.GetValueOrDefault(node)?.Kick();
        }
    }

    /// <summary>Closes what must not be, and connects to whom it should.</summary>
    public void Reconsider()
    {
        foreach (PeerLink link in _links.Values.Where(link => !_view.IsMember(link.Peer)).ToArray())
        {
            _diary.Add(LogLevel.Warning, "peers", $"{_view.NameOf(link.Peer)} is no member any more: cut off");
            link.Close(_view.IsRevoked(link.Peer) ? GoodbyeReason.Revoked : GoodbyeReason.NotMember);
        }

        foreach (NodeId node in _view.Others.Where(_view.MayConnect))
        {
            Dial(node);
        }
    }

    /// <summary>Closes links whose peer owes an answer and is silent.</summary>
    public void CloseStuck()
    {
        foreach (PeerLink link in _links.Values.ToArray())
        {
            link.CloseIfStuck(_options.RequestTimeout);
        }
    }

    private void OnLiveness(NodeId node, Liveness liveness)
    {
        if (liveness == Liveness.Dead && _links.TryGetValue(node, out PeerLink? link))
        {
            link.Close("it does not answer gossip any more");
        }
        else if (liveness == Liveness.Alive)
        {
            _dialers.GetValueOrDefault(node)?.Kick();
        }
    }

    private void Dial(NodeId node)
    {
        if (!_isStopped && !_links.ContainsKey(node) && !_dialers.ContainsKey(node))
        {
            Dialer dialer = new();
            _dialers.Add(node, dialer);
            _ports.Workers.Start("dial", () => DialLoop(node, dialer));
        }
    }

    private async Task DialLoop(NodeId node, Dialer dialer)
    {
        try
        {
            TimeSpan backoff = FirstBackoff;
            while (!_isStopped && _view.MayConnect(node) && !_links.ContainsKey(node))
            {
                await DialEach(node);
                if (!_links.ContainsKey(node) && !_isStopped)
                {
                    double jitter = 0.75 + (_random.NextDouble() / 2);
                    await dialer.Wait(backoff * jitter, _ports.Time);
                    backoff = dialer.TakeKicked() ? FirstBackoff : backoff * 2;
                    backoff = backoff > _options.ReconnectMax ? _options.ReconnectMax : backoff;
                }
            }
        }
        finally
        {
            // Also when it fails: while it is listed, nobody else dials this node.
            _dialers.Remove(node);
        }
    }

    private async Task DialEach(NodeId node)
    {
        IAsyncEnumerable<IPEndPoint> addresses =
            ResolvedAddresses.Of(_ports.Transport, AddressesOf(node), CancellationToken.None);
        await foreach (IPEndPoint address in addresses)
        {
            if (_isStopped || _links.ContainsKey(node) || await TryConnect(node, address))
            {
                return;
            }
        }
    }

    private List<NodeAddress> AddressesOf(NodeId node)
    {
        List<NodeAddress> addresses = [];
        if (_hints.TryGetValue(node, out IPEndPoint? hint))
        {
            addresses.Add(NodeAddress.From(hint));
        }

        if (_view.Map.TryGet(node, out SignedNodeRecord? record))
        {
            addresses.AddRange(record.Record.Addresses);
        }

        addresses.AddRange(_options.StaticPeers);
        return addresses;
    }

    private async Task<bool> TryConnect(NodeId node, IPEndPoint address)
    {
        using CancellationTokenSource limit = new(HandshakeMax, _ports.Time);
        Result<IConnection, TransportError> connected;
        try
        {
            connected = await _ports.Transport.Connect(address, node, limit.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        if (!connected.TryGet(out IConnection? connection, out _))
        {
            return false;
        }

        await Handshake.SendHello(connection, HelloPurpose.Member, _view.Pool, OwnRecord().Bytes);
        Result<PeerHello, HandshakeError> hello =
            await Handshake.ReceiveHello(connection, _ports.CheckSignature, limit.Token);
        return await Welcome(connection, hello, isDialer: true);
    }

    private async Task AcceptLoop()
    {
        while (!_isStopped)
        {
            Result<IConnection, TransportError> accepted = await _ports.Transport.Accept(CancellationToken.None);
            if (!accepted.TryGet(out IConnection? connection, out TransportError error))
            {
                if (error.Kind == TransportErrorKind.Closed)
                {
                    return;
                }
            }
            else if (_isStopped || !_greetings.TryBegin(connection))
            {
                await connection.DisposeAsync();
            }
            else
            {
                _ports.Workers.Start("handshake", () => Greet(connection));
            }
        }
    }

    private async Task Greet(IConnection connection)
    {
        try
        {
            using CancellationTokenSource limit = new(HandshakeMax, _ports.Time);
            Result<PeerHello, HandshakeError> hello =
                await Handshake.ReceiveHello(connection, _ports.CheckSignature, limit.Token);
            bool joins = hello.TryGet(out PeerHello? said, out _) && said.Purpose == HelloPurpose.Join;
            if (joins)
            {
                await Joiner(connection, said!);
                return;
            }

            if (hello.IsOk && Refusal(connection, said!) is null)
            {
                await Handshake.SendHello(connection, HelloPurpose.Member, _view.Pool, OwnRecord().Bytes);
            }

            await Welcome(connection, hello, isDialer: false);
        }
        finally
        {
            _greetings.End(connection);
        }
    }

    private GoodbyeReason? Refusal(IConnection connection, PeerHello hello)
    {
        NodeId peer = connection.Peer.Node;
        return _view.IsRevoked(peer) ? GoodbyeReason.Revoked
            : hello.Pool != _view.Pool ? GoodbyeReason.WrongPool
            : !_view.MayConnect(peer) || peer == _view.Self ? GoodbyeReason.NotMember
            : null;
    }

    private async Task<bool> Welcome(IConnection connection, Result<PeerHello, HandshakeError> hello, bool isDialer)
    {
        GoodbyeReason? refusal = hello.TryGet(out PeerHello? said, out HandshakeError error)
            ? Refusal(connection, said)
            : error.Reason;
        if (said is null || refusal is not null || _isStopped)
        {
            string why = said is null ? error.Detail : $"{refusal ?? GoodbyeReason.Stopping}";
            NodeId peer = connection.Peer.Node;
            IPAddress from = connection.RemoteAddress.Address;
            _diary.Add(LogLevel.Warning, "peers", $"no link with {peer.Short} at {from}: {why}");
            if (!_view.HasLeft(peer))
            {
                string where = $"{_view.NameOf(peer)} at {from}";
                Refused.Add(peer, where, refusal, why, said is null && _view.IsMember(peer));
            }

            await Handshake.Refuse(connection, refusal ?? GoodbyeReason.Stopping, _ports.Time);
            return false;
        }

        PeerLink link = new(connection, isDialer, said.Version, _ports.Time);
        if (_links.TryGetValue(link.Peer, out PeerLink? other))
        {
            // Both dialed at the same time, and each must give up the same one; or the peer has lost what is still here.
            bool haveCrossed = other.IsDialer != link.IsDialer && other.Age < HandshakeMax;
            bool newWins = other.IsClosed || !haveCrossed || link.IsDialer == (_view.Self < link.Peer);
            if (!newWins)
            {
                await Handshake.Refuse(connection, GoodbyeReason.Duplicate, _ports.Time);
                return true;
            }

            if (!haveCrossed && !other.IsClosed)
            {
                Doubled.Note(link.Peer, saidByPeer: false);
            }

            other.Close(GoodbyeReason.Duplicate);
            Down(other);
        }

        _links[link.Peer] = link;
        _hints.Remove(link.Peer);
        Refused.Clear(link.Peer);
        _view.Merge(said.Record);
        _ports.Workers.Start("peer", () => RunLink(link));
        return true;
    }

    private async Task RunLink(PeerLink link)
    {
        _diary.Add(LogLevel.Info, "peers", $"connected with {_view.NameOf(link.Peer)} at {link.RemoteAddress}");
        Connected?.Invoke(link);
        await link.Run(_ports.Workers, Handler);
        _diary.Add(LogLevel.Info, "peers", $"link with {_view.NameOf(link.Peer)} ended: {link.CloseReason}");
        Refused.Add(link.Peer, _view.NameOf(link.Peer), link.Fault, link.CloseReason, link.Farewell is not null);
        if (link.Farewell == GoodbyeReason.Duplicate)
        {
            Doubled.Note(link.Peer, saidByPeer: true);
        }

        Down(link);
        if (!_isStopped && link.Age < FirstBackoff)
        {
            // Sent away at once: who asked again at once would do nothing else.
            await Task.Delay(FirstBackoff, _ports.Time);
        }

        if (!_isStopped && _view.MayConnect(link.Peer))
        {
            Dial(link.Peer);
        }
    }

    private void Down(PeerLink link)
    {
        if (_links.TryGetValue(link.Peer, out PeerLink? current) && current == link)
        {
            _links.Remove(link.Peer);
            Disconnected?.Invoke(link);
        }
    }

    /// <summary>A wait between two attempts that good news can shorten.</summary>
    private sealed class Dialer
    {
        private TaskCompletionSource? _kick;
        private bool _kicked;

        public void Kick()
        {
            _kicked = true;
            _kick?.TrySetResult();
        }

        public bool TakeKicked()
        {
            bool kicked = _kicked;
            _kicked = false;
            return kicked;
        }

        public async Task Wait(TimeSpan delay, TimeProvider time)
        {
            if (!_kicked)
            {
                _kick = new TaskCompletionSource();
                await Waiting.AtMost(_kick.Task, delay, time);
                _kick = null;
            }
        }
    }
}
