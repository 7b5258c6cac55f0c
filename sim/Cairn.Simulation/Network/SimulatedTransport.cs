using System.Net;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Cairn.Simulation.Time;

namespace Cairn.Simulation.Network;

/// <summary>One process's transport in a <see cref="SimulatedNetwork"/>.</summary>
public sealed class SimulatedTransport : ITransport
{
    private readonly SimulatedNetwork _network;
    private readonly Inbox<Result<IConnection, TransportError>> _accepted = new();
    private readonly Inbox<Datagram> _datagrams = new();
    private readonly List<SimulatedConnection> _open = [];
    private bool _isClosed;

    internal SimulatedTransport(SimulatedNetwork network, SimulatedProcess process, IIdentity identity, IPEndPoint address)
    {
        _network = network;
        Process = process;
        ListenAddress = address;
        Self = new PeerIdentity(identity.Node, identity.PublicKey);
    }

    /// <inheritdoc/>
    public IPEndPoint ListenAddress { get; }

    internal SimulatedProcess Process { get; }

    internal PeerIdentity Self { get; }

    /// <summary>Streams open now.</summary>
    public int OpenConnections => _open.Count;

    /// <inheritdoc/>
    public async ValueTask<Result<IConnection, TransportError>> Connect(
        IPEndPoint address, NodeId? expected, CancellationToken cancellation)
    {
        bool isCut = _network.IsCut(ListenAddress, address) || _network.IsCut(address, ListenAddress);
        TimeSpan wait = isCut ? _network.Faults.ConnectMax : _network.StreamDelay(0) + _network.StreamDelay(0);
        try
        {
            await Task.Delay(wait, Process.Time, cancellation);
        }
        catch (OperationCanceledException)
        {
            return new TransportError(TransportErrorKind.TimedOut, "the attempt was given up");
        }

        SimulatedTransport? target = _network.Find(address);
        isCut = _network.IsCut(ListenAddress, address) || _network.IsCut(address, ListenAddress);
        if (isCut || _isClosed)
        {
            return new TransportError(TransportErrorKind.TimedOut, $"{address} does not answer");
        }

        if (target is null)
        {
            return new TransportError(TransportErrorKind.Unreachable, $"{address} refuses connections");
        }

        if (expected is { } node && node != target.Self.Node)
        {
            return new TransportError(TransportErrorKind.WrongPeer, $"{address} is {target.Self.Node.Short}, not {node.Short}");
        }

        (SimulatedConnection near, SimulatedConnection far) = SimulatedConnection.Pair(_network, this, target);
        _open.Add(near);
        target._open.Add(far);
        target._accepted.Put(Result<IConnection, TransportError>.Ok(far));
        return Result<IConnection, TransportError>.Ok(near);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<IConnection, TransportError>> Accept(CancellationToken cancellation)
    {
        try
        {
            return await _accepted.Take(cancellation);
        }
        catch (OperationCanceledException)
        {
            return new TransportError(TransportErrorKind.Closed, "the transport was closed");
        }
    }

    /// <inheritdoc/>
    public void SendDatagram(IPEndPoint address, ReadOnlySpan<byte> bytes)
    {
        if (!_isClosed)
        {
            _network.SendDatagram(ListenAddress, address, bytes, isAnnouncement: false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<Datagram> ReceiveDatagram(CancellationToken cancellation) => await _datagrams.Take(cancellation);

    /// <inheritdoc/>
    public void Announce(ReadOnlySpan<byte> bytes)
    {
        if (!_isClosed)
        {
            _network.Announce(ListenAddress, bytes);
        }
    }

    /// <summary>As the system does when a process dies: the port is free, every stream's other end sees it closed.</summary>
    public void Close()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _network.Detach(this);
            foreach (SimulatedConnection connection in _open.ToArray())
            {
                connection.Close();
            }

            _accepted.Put(new TransportError(TransportErrorKind.Closed, "the transport was closed"));

            // Others' connections lead here: what waits for a datagram is all of a dead node, and the dead it knew.
            _datagrams.Abandon();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    internal void Deliver(Datagram datagram) => _datagrams.Put(datagram);

    internal void Forget(SimulatedConnection connection) => _open.Remove(connection);

    internal void Reconsider()
    {
        foreach (SimulatedConnection connection in _open.ToArray())
        {
            connection.Reconsider();
        }
    }
}
