using System.Net;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Cairn.Simulation.Time;

namespace Cairn.Simulation.Network;

/// <summary>One end of a simulated stream.</summary>
public sealed class SimulatedConnection : IConnection
{
    private const int WindowBytes = 8 << 20;

    private readonly SimulatedNetwork _network;
    private readonly SimulatedTransport _local;
    private readonly SimulatedTransport _remote;
    private readonly Inbox<Result<IFrame, TransportError>> _inbox = new();
    private readonly Queue<byte[]> _held = new();
    private SimulatedConnection? _other;
    private TaskCompletionSource? _room;
    private TimeSpan _lastArrival;
    private SimulatedTimer? _stall;
    private int _inFlightBytes;
    private bool _isClosed;

    private SimulatedConnection(SimulatedNetwork network, SimulatedTransport local, SimulatedTransport remote)
    {
        _network = network;
        _local = local;
        _remote = remote;
    }

    /// <inheritdoc/>
    public PeerIdentity Peer => _remote.Self;

    /// <inheritdoc/>
    public IPEndPoint RemoteAddress => _remote.ListenAddress;

    private bool IsCut => _network.IsCut(_local.ListenAddress, _remote.ListenAddress);

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, TransportError>> Send(
        ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        Invariant.That(head.Length + body.Length <= IConnection.FrameBytesMax, $"a frame of {head.Length + body.Length} bytes");
        byte[] frame = new byte[head.Length + body.Length];
        head.CopyTo(frame);
        body.CopyTo(frame.AsMemory(head.Length));
        while (_inFlightBytes >= WindowBytes && !_isClosed)
        {
            _room ??= new TaskCompletionSource();
            try
            {
                await _room.Task.WaitAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                return new TransportError(TransportErrorKind.TimedOut, "the send was given up");
            }
        }

        if (_isClosed)
        {
            return Closed;
        }

        _inFlightBytes += frame.Length;
        if (IsCut || _held.Count > 0)
        {
            _held.Enqueue(frame);
            Reconsider();
        }
        else
        {
            Launch(frame);
        }

        return Unit.Value;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<IFrame, TransportError>> Receive(CancellationToken cancellation, int bytesMax)
    {
        if (_isClosed && _inbox.Count == 0)
        {
            return Closed;
        }

        try
        {
            Result<IFrame, TransportError> next = await _inbox.Take(cancellation);
            if (!next.TryGet(out IFrame? frame, out _) || frame.Bytes.Length <= bytesMax)
            {
                return next;
            }

            Close();
            return new TransportError(TransportErrorKind.Protocol, $"a frame of {frame.Bytes.Length} bytes");
        }
        catch (OperationCanceledException)
        {
            return new TransportError(TransportErrorKind.TimedOut, "the wait was given up");
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    internal static (SimulatedConnection Near, SimulatedConnection Far) Pair(
        SimulatedNetwork network, SimulatedTransport near, SimulatedTransport far)
    {
        SimulatedConnection one = new(network, near, far);
        SimulatedConnection other = new(network, far, near) { _other = one };
        one._other = other;
        return (one, other);
    }

    /// <summary>Closes this end at once and the other after the delay (or when the cut is over, or it stalls).</summary>
    internal void Close()
    {
        SimulatedConnection other = _other!;
        CloseEnd();
        if (!other._isClosed && !IsCut)
        {
            // As with TCP, the end of the stream comes after what was sent before it.
            TimeSpan arrival = _network.Scheduler.Now + _network.StreamDelay(0);
            arrival = arrival > _lastArrival ? arrival : _lastArrival;
            _network.Scheduler.After(arrival - _network.Scheduler.Now, other.CloseEnd);
        }
        else if (!other._isClosed)
        {
            other.Reconsider();
        }
    }

    /// <summary>Something about cuts changed, or a frame waits: send what can go, and count the stall.</summary>
    internal void Reconsider()
    {
        bool stuck = IsCut && (_held.Count > 0 || _other!._isClosed);
        bool deaf = _other!._isClosed && !_isClosed;
        if (!IsCut)
        {
            while (_held.TryDequeue(out byte[]? frame))
            {
                Launch(frame);
            }
        }

        if (deaf && !_network.IsCut(_remote.ListenAddress, _local.ListenAddress))
        {
            _network.Scheduler.After(_network.StreamDelay(0), CloseEnd);
        }
        else if (stuck || deaf)
        {
            _stall ??= _network.Scheduler.After(_network.Faults.StallMax, StallEnds);
        }
        else
        {
            _stall?.Dispose();
            _stall = null;
        }
    }

    private static TransportError Closed => new(TransportErrorKind.Closed, "the connection is closed");

    private void StallEnds()
    {
        _stall = null;
        SimulatedConnection other = _other!;
        _network.StreamsReset++;
        CloseEnd();
        other.CloseEnd();
    }

    private void CloseEnd()
    {
        if (!_isClosed)
        {
            _isClosed = true;
            _stall?.Dispose();
            _local.Forget(this);
            _inbox.Put(Closed);
            _room?.TrySetResult();
            _room = null;
        }
    }

    private void Launch(byte[] frame)
    {
        TimeSpan arrival = _network.Scheduler.Now + _network.StreamDelay(frame.Length);
        arrival = arrival > _lastArrival ? arrival : _lastArrival;
        _lastArrival = arrival;
        _network.Scheduler.After(arrival - _network.Scheduler.Now, () => Arrive(frame));
    }

    private void Arrive(byte[] frame)
    {
        _inFlightBytes -= frame.Length;
        if (_inFlightBytes < WindowBytes)
        {
            _room?.TrySetResult();
            _room = null;
        }

        if (!_other!._isClosed)
        {
            _network.StreamBytes += frame.Length;
            _network.Scheduler.Trace.Add(frame);
            _other._inbox.Put(new MemoryFrame(frame));
        }
    }

    private sealed class MemoryFrame(byte[] bytes) : IFrame
    {
        public ReadOnlyMemory<byte> Bytes { get; } = bytes;

        public void Dispose()
        {
        }
    }
}
