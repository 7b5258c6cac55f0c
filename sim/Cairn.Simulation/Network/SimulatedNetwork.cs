using System.Buffers.Binary;
using System.Net;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Cairn.Simulation.Time;

namespace Cairn.Simulation.Network;

/// <summary>A network in memory, on virtual time, with faults from a seed: streams, datagrams, cuts (one-way too).</summary>
/// <remarks>
/// Streams are ordered and reliable like TCP: loss delays them, a cut holds them back, a long cut closes both ends, a killed
/// process closes them at once. Datagrams are lost, doubled and overtake each other. Thread: the scheduler's.
/// </remarks>
public sealed class SimulatedNetwork
{
    private readonly SortedDictionary<ulong, SimulatedTransport> _listeners = [];
    private readonly HashSet<(ulong From, ulong To)> _cuts = [];
    private readonly Prng _random;
    private readonly Dictionary<(ulong From, ulong To), long> _lastDelivered = [];
    private long _sent;
    private int _nextHost = 1;

    /// <summary>An empty network.</summary>
    public SimulatedNetwork(SimulatedScheduler scheduler, ulong seed)
    {
        Scheduler = scheduler;
        _random = new Prng(seed);
    }

    /// <summary>Whose time it is.</summary>
    public SimulatedScheduler Scheduler { get; }

    /// <summary>How bad it is now; may be changed at any time.</summary>
    public NetworkFaults Faults { get; set; } = NetworkFaults.None;

    /// <summary>Bytes that streams delivered so far.</summary>
    public long StreamBytes { get; internal set; }

    /// <summary>Datagrams delivered so far.</summary>
    public long Datagrams { get; private set; }

    /// <summary>Datagrams lost so far, by chance or in a cut.</summary>
    public long DatagramsLost { get; private set; }

    /// <summary>Datagrams that were sent twice so far.</summary>
    public long DatagramsDoubled { get; private set; }

    /// <summary>Datagrams that a later one of the same two hosts overtook so far.</summary>
    public long DatagramsOvertaken { get; private set; }

    /// <summary>Streams that a cut ended so far.</summary>
    public long StreamsReset { get; internal set; }

    /// <summary>A new host's address: 10.0.x.y, port 4460.</summary>
    public IPEndPoint NewAddress()
    {
        int host = _nextHost++;
        return new IPEndPoint(new IPAddress([10, 0, (byte)(host >> 8), (byte)host]), 4460);
    }

    /// <summary>A node's way into the network. The address must be free (a restarted process takes its old one).</summary>
    public SimulatedTransport Attach(SimulatedProcess process, IIdentity identity, IPEndPoint address)
    {
        Invariant.That(!_listeners.ContainsKey(Key(address)), $"{address} is taken");
        SimulatedTransport transport = new(this, process, identity, address);
        _listeners.Add(Key(address), transport);
        return transport;
    }

    /// <summary>Nothing gets from one address to the other, until <see cref="Heal"/>.</summary>
    public void CutOneWay(IPEndPoint from, IPEndPoint to)
    {
        _cuts.Add((Key(from), Key(to)));
        foreach (SimulatedTransport transport in _listeners.Values)
        {
            transport.Reconsider();
        }
    }

    /// <summary>Nothing gets through either way.</summary>
    public void Cut(IPEndPoint one, IPEndPoint other)
    {
        CutOneWay(one, other);
        CutOneWay(other, one);
    }

    /// <summary>Splits the hosts in two groups.</summary>
    public void Split(IReadOnlyList<IPEndPoint> left, IReadOnlyList<IPEndPoint> right)
    {
        foreach (IPEndPoint one in left)
        {
            foreach (IPEndPoint other in right)
            {
                Cut(one, other);
            }
        }
    }

    /// <summary>Everything gets through between two hosts again.</summary>
    public void Heal(IPEndPoint one, IPEndPoint other)
    {
        _cuts.Remove((Key(one), Key(other)));
        _cuts.Remove((Key(other), Key(one)));
        Resume();
    }

    /// <summary>Everything gets through again.</summary>
    public void HealAll()
    {
        _cuts.Clear();
        Resume();
    }

    /// <summary>Whether a direction is cut.</summary>
    public bool IsCut(IPEndPoint from, IPEndPoint to) => _cuts.Contains((Key(from), Key(to)));

    internal SimulatedTransport? Find(IPEndPoint address) => _listeners.GetValueOrDefault(Key(address));

    internal void Detach(SimulatedTransport transport) => _listeners.Remove(Key(transport.ListenAddress));

    internal void SendDatagram(IPEndPoint from, IPEndPoint to, ReadOnlySpan<byte> bytes, bool isAnnouncement)
    {
        Invariant.That(bytes.Length <= 1200, $"a datagram of {bytes.Length} bytes");
        byte[] copy = bytes.ToArray();
        int copies = _random.Next(1000) < Faults.DuplicatePerMille ? 2 : 1;
        DatagramsDoubled += copies - 1;
        long number = ++_sent;
        for (int i = 0; i < copies; i++)
        {
            if (_random.Next(1000) >= Faults.LossPerMille)
            {
                Scheduler.After(Delay(), () => Deliver(from, to, copy, isAnnouncement, number));
            }
            else
            {
                DatagramsLost++;
            }
        }
    }

    internal void Announce(IPEndPoint from, ReadOnlySpan<byte> bytes)
    {
        foreach (SimulatedTransport other in _listeners.Values.ToArray())
        {
            if (!other.ListenAddress.Equals(from))
            {
                SendDatagram(from, other.ListenAddress, bytes, isAnnouncement: true);
            }
        }
    }

    /// <summary>One way's delay for a datagram or a stream's frame without its bytes.</summary>
    internal TimeSpan Delay()
    {
        long spread = Math.Max(1, (Faults.DelayMax - Faults.DelayMin).Ticks);
        return Faults.DelayMin + TimeSpan.FromTicks((long)(_random.NextDouble() * spread));
    }

    /// <summary>The delay of a stream's frame: loss shows as a retransmission.</summary>
    internal TimeSpan StreamDelay(int bytes)
    {
        TimeSpan delay = Delay() + TimeSpan.FromTicks(bytes * TimeSpan.TicksPerSecond / Faults.BytesPerSecond);
        while (Faults.LossPerMille > 0 && _random.Next(1000) < Faults.LossPerMille)
        {
            delay += TimeSpan.FromMilliseconds(200);
        }

        return delay;
    }

    private void Deliver(IPEndPoint from, IPEndPoint to, byte[] bytes, bool isAnnouncement, long number)
    {
        (ulong, ulong) pair = (Key(from), Key(to));
        long last = _lastDelivered.GetValueOrDefault(pair);
        DatagramsOvertaken += number < last ? 1 : 0;
        _lastDelivered[pair] = Math.Max(number, last);
        SimulatedTransport? target = Find(to);
        if (target is not null && !IsCut(from, to))
        {
            Datagrams++;
            Scheduler.Trace.Add(bytes);
            target.Deliver(new Datagram(from, bytes, isAnnouncement));
        }
    }

    private void Resume()
    {
        foreach (SimulatedTransport transport in _listeners.Values)
        {
            transport.Reconsider();
        }
    }

    private static ulong Key(IPEndPoint address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bool isWritten = address.Address.TryWriteBytes(bytes, out int length);
        Invariant.That(isWritten && length == 4, $"{address} is not of this network");
        return ((ulong)BinaryPrimitives.ReadUInt32BigEndian(bytes) << 16) | (ushort)address.Port;
    }
}
