using System.Buffers;
using System.Net;
using Cairn.Coding.Encryption;
using Cairn.Core.Membership;
using Cairn.Core.Membership.Swim;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Logs;
using Cairn.Node.Ports;

namespace Cairn.Node.Peers;

/// <summary>Drives failure detection by sealed datagrams, announcements on the local network, and the map's anti-entropy.</summary>
/// <remarks>Thread: the engine's loop.</remarks>
internal sealed class GossipLoop : ISwimEffects, IDisposable
{
    private static readonly TimeSpan AnnounceEvery = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan PassEvery = TimeSpan.FromMinutes(1);

    private readonly Dictionary<NodeId, Pair> _pairs = [];
    private readonly Dictionary<NodeId, (SignedNodeRecord Of, IPAddress? Linked, IPEndPoint? Address)> _addresses = [];
    private readonly SortedSet<NodeId> _watched = [];
    private readonly NodePorts _ports;
    private readonly NodeOptions _options;
    private readonly PoolView _view;
    private readonly PeerSet _set;
    private readonly SwimProtocol _swim;
    private readonly NodeDiary _diary;
    private readonly byte[] _plain = new byte[1200];
    private readonly byte[] _sealed = new byte[1200];
    private readonly CancellationTokenSource _stop = new();
    private readonly long _started;
    private readonly ulong _session;
    private readonly Signal _wake = new();
    private ulong _overtakenBy;
    private long? _passed;
    private long _earliestTickMs;
    private long _sleepsUntilMs;

    /// <summary>Quiet until <see cref="Start"/>.</summary>
    public GossipLoop(NodePorts ports, NodeOptions options, PoolView view, PeerSet set, NodeDiary diary, ulong seed, ulong session)
    {
        _ports = ports;
        _options = options;
        _view = view;
        _set = set;
        _diary = diary;
        _session = session;
        _started = ports.Time.GetTimestamp();
        long period = (long)options.GossipPeriod.TotalMilliseconds;
        SwimOptions swim = SwimOptions.Default with { ProbeIntervalMs = period, ProbeTimeoutMs = Math.Max(1, period * 3 / 10) };
        _swim = new SwimProtocol(view.Self, swim, seed);
        view.Changed += Watch;
        set.Connected += OnConnected;
    }

    /// <summary>Raised when others have a newer record of this node than its home: with the counter to pass.</summary>
    /// <remarks>
    /// Once a minute at most: two machines that run copies of one home pass each other for as long as both run, and the one that
    /// is left when the other was stopped has to be found again.
    /// </remarks>
    public event Action<ulong>? Overtaken;

    private long NowMs => (long)_ports.Time.GetElapsedTime(_started).TotalMilliseconds;

    /// <summary>Begins.</summary>
    public void Start()
    {
        Watch();
        _ports.Workers.Start("gossip", TickLoop);
        _ports.Workers.Start("datagrams", ReceiveLoop);
        if (_options.Announce)
        {
            _ports.Workers.Start("announce", AnnounceLoop);
        }
    }

    /// <summary>Tells the others that this node leaves, and stops.</summary>
    public void Stop()
    {
        Step(SwimInput.Leave(NowMs));
        _stop.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Dispose();
        foreach (Pair pair in _pairs.OrderBy(entry => entry.Key).Select(entry => entry.Value))
        {
            pair.Dispose();
        }
    }

    /// <summary>A record changed here: everyone connected is told.</summary>
    public void Publish(SignedNodeRecord record)
    {
        foreach (PeerLink link in _set.Links)
        {
            link.Send(new MapRecords([record.Bytes]));
        }
    }

    /// <summary>A peer's map root, buckets or records.</summary>
    public void OnMap(PeerLink link, PeerMessage message)
    {
        switch (message)
        {
            case MapRoot root when root.Root != _view.Map.Root:
                link.Send(new MapBuckets([.. Enumerable.Range(0, PoolMap.BucketCount).Select(_view.Map.BucketDigest)]));
                break;
            case MapBuckets buckets:
                SendDiffering(link, buckets);
                break;
            case MapRecords records:
                TakeRecords(link, records);
                break;
            default:
                break;
        }
    }

    /// <inheritdoc/>
    public void Send(NodeId to, ReadOnlySpan<byte> bytes)
    {
        if (PairWith(to) is { } pair && AddressOf(to) is { } address)
        {
            Span<byte> datagram = _sealed.AsSpan(0, bytes.Length + DatagramSender.Overhead);
            pair.Sender.Seal(bytes, datagram);
            _ports.Transport.SendDatagram(address, datagram);
        }
    }

    /// <inheritdoc/>
    public void StatusChanged(NodeId node, Liveness status)
    {
        _diary.Add(
            status == Liveness.Alive ? LogLevel.Info : LogLevel.Warning, "gossip", $"{_view.NameOf(node)} is {status}");
        _view.SetLiveness(node, status);
    }

    /// <inheritdoc/>
    public void BadMessage(NodeId from) =>
        _diary.Add(LogLevel.Warning, "gossip", $"{_view.NameOf(from)} sent what is not gossip: ignored");

    /// <summary>Ticks when something is due, and not more often than ten times in a period.</summary>
    private async Task TickLoop()
    {
        while (!_stop.IsCancellationRequested)
        {
            _wake.Hear();
            _sleepsUntilMs = Math.Max(_swim.NextDueMs, _earliestTickMs);
            long sleepMs = _sleepsUntilMs - NowMs;
            if (sleepMs > 0)
            {
                await _wake.Wait(TimeSpan.FromMilliseconds(sleepMs), _ports.Time, _stop.Token);
                continue;
            }

            _earliestTickMs = NowMs + Math.Max(1, (long)_options.GossipPeriod.TotalMilliseconds / 10);
            _swim.Step(SwimInput.Tick(NowMs), this);
            _view.HearsNobody = _swim.HearsNobody;
            PassOwn();
        }
    }

    /// <summary>Takes anything but a tick; what is due sooner by it wakes the loop.</summary>
    private void Step(SwimInput input)
    {
        _swim.Step(input, this);
        _view.HearsNobody = _swim.HearsNobody;
        if (Math.Max(_swim.NextDueMs, _earliestTickMs) < _sleepsUntilMs)
        {
            _wake.Raise();
        }
    }

    private async Task ReceiveLoop()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                OnDatagram(await _ports.Transport.ReceiveDatagram(_stop.Token));
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void OnDatagram(Datagram datagram)
    {
        if (datagram.IsAnnouncement)
        {
            OnAnnouncement(datagram);
            return;
        }

        if (!DatagramReceiver.TryReadSender(datagram.Bytes.Span, out ulong prefix))
        {
            return;
        }

        foreach (NodeId node in _watched)
        {
            if (node.Value.Prefix == prefix && PairWith(node) is { } pair
                && pair.Receiver.Open(datagram.Bytes.Span, _plain).TryGet(out int length, out _))
            {
                byte[] message = _plain.AsSpan(0, length).ToArray();
                Step(SwimInput.Message(node, message, NowMs));
                return;
            }
        }
    }

    private async Task AnnounceLoop()
    {
        ArrayBufferWriter<byte> output = new(64);
        WireWriter writer = new(output);
        writer.Byte(1);
        writer.Bytes16(_view.Pool.Value);
        writer.Bytes32(_view.Self.Value);
        writer.UInt16((ushort)_ports.Transport.ListenAddress.Port);
        while (!_stop.IsCancellationRequested)
        {
            _ports.Transport.Announce(output.WrittenSpan);
            try
            {
                await Task.Delay(AnnounceEvery, _ports.Time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void OnAnnouncement(Datagram datagram)
    {
        WireReader reader = new(datagram.Bytes.Span);
        byte version = reader.Byte();
        PoolId pool = new(reader.Bytes16());
        NodeId node = new(reader.Bytes32());
        ushort port = reader.UInt16();
        if (!reader.Failed && version == 1 && pool == _view.Pool && port != 0)
        {
            _set.Hint(node, new IPEndPoint(datagram.From.Address, port));
        }
    }

    private void Watch()
    {
        SortedSet<NodeId> wanted = [.. _view.Others];
        foreach (NodeId node in _watched.Except(wanted).ToArray())
        {
            _watched.Remove(node);
            _pairs.Remove(node, out Pair? pair);
            pair?.Dispose();
            Step(SwimInput.MemberRemoved(node, NowMs));
            _view.SetLiveness(node, Liveness.Dead);
        }

        foreach (NodeId node in wanted.Except(_watched).ToArray())
        {
            _watched.Add(node);
            Step(SwimInput.MemberAdded(node, NowMs));
        }
    }

    private void OnConnected(PeerLink link)
    {
        link.Send(new MapRoot(_view.Map.Root));
        if (_watched.Contains(link.Peer) && _view.LivenessOf(link.Peer) != Liveness.Alive)
        {
            // Told again, so that it is greeted at once and not at the next round.
            Step(SwimInput.MemberAdded(link.Peer, NowMs));
        }
    }

    private void SendDiffering(PeerLink link, MapBuckets theirs)
    {
        ReadOnlyMemory<byte>[] records =
        [
            .. _view.Map.Records
                .Where(record => _view.Map.BucketDigest(PoolMap.BucketOf(record.Record.Node))
                    != theirs.Digests[PoolMap.BucketOf(record.Record.Node)])
                .Select(record => record.Bytes),
        ];
        if (records.Length > 0)
        {
            link.Send(new MapRecords(records));
        }
    }

    private void TakeRecords(PeerLink link, MapRecords message)
    {
        bool isNews = false;
        // What is here already is most of what comes: everybody tells everybody. Checking a signature costs 200 us.
        foreach (ReadOnlyMemory<byte> bytes in message.Records.Where(bytes => !_view.Map.Holds(bytes.Span)))
        {
            Result<SignedNodeRecord, NodeRecordError> decoded =
                NodeRecordCodec.Decode(bytes.Span, _ports.CheckSignature);
            if (!decoded.TryGet(out SignedNodeRecord? record, out NodeRecordError error))
            {
                _diary.Add(LogLevel.Warning, "gossip", $"{link.Peer.Short} sent a bad node record: {error}");
            }
            else if (record.Record.Node == _view.Self)
            {
                _overtakenBy = Math.Max(_overtakenBy, record.Record.Counter);
                PassOwn();
            }
            else
            {
                isNews |= _view.Merge(record);
            }
        }

        if (isNews)
        {
            foreach (PeerLink other in _set.Links.Where(other => other != link))
            {
                other.Send(new MapRoot(_view.Map.Root));
            }
        }
    }

    /// <summary>Others keep to the highest counter: until it is passed, nothing this node says of itself reaches them.</summary>
    private void PassOwn()
    {
        bool isAhead = _overtakenBy > 0 && _view.Map.TryGet(_view.Self, out SignedNodeRecord? own)
            && _overtakenBy >= own.Record.Counter;
        if (isAhead && (_passed is not { } at || _ports.Time.GetElapsedTime(at) >= PassEvery))
        {
            _passed = _ports.Time.GetTimestamp();
            _diary.Add(
                LogLevel.Warning, "gossip", "others know a newer record of this node than its home does: it is passed");
            Overtaken?.Invoke(_overtakenBy);
        }
    }

    /// <summary>Of several addresses the one that a stream has shown to lead there, else the likeliest.</summary>
    private IPEndPoint? AddressOf(NodeId node)
    {
        if (!_view.Map.TryGet(node, out SignedNodeRecord? record))
        {
            return null;
        }

        // Asked with every datagram, and hardly ever otherwise than before.
        IPAddress? linked = _set.Find(node)?.RemoteAddress.Address;
        if (_addresses.TryGetValue(
                node, out (SignedNodeRecord Of, IPAddress? Linked, IPEndPoint? Address) known)
            && ReferenceEquals(known.Of, record) && Equals(known.Linked, linked))
        {
            return known.Address;
        }

        IPEndPoint? address = AddressIn(record, linked);
        _addresses[node] = (record, linked, address);
        return address;
    }

    /// <summary>The address that a link goes to, if it is one of the record's, else the record's first.</summary>
    private static IPEndPoint? AddressIn(SignedNodeRecord record, IPAddress? linked)
    {
        IPEndPoint? first = null;
        foreach (NodeAddress address in record.Record.Addresses)
        {
            if (address.TryGetEndPoint(out IPEndPoint? endpoint))
            {
                first ??= endpoint;
                if (endpoint.Address.Equals(linked))
                {
                    return endpoint;
                }
            }
        }

        return first;
    }

    private Pair? PairWith(NodeId node)
    {
        if (_pairs.TryGetValue(node, out Pair? pair))
        {
            return pair;
        }

        Span<byte> shared = stackalloc byte[KeyWrap.SharedSecretSize];
        if (!_view.Map.TryGet(node, out SignedNodeRecord? record)
            || !_ports.Identity.TryAgree(record.Record.PublicKey.AsSpan(), shared))
        {
            return null;
        }

        pair = new Pair(
            new DatagramSender(shared, _view.Self, node, _session), new DatagramReceiver(shared, node, _view.Self));
        _pairs.Add(node, pair);
        return pair;
    }

    private sealed record Pair(DatagramSender Sender, DatagramReceiver Receiver) : IDisposable
    {
        public void Dispose()
        {
            Sender.Dispose();
            Receiver.Dispose();
        }
    }
}
