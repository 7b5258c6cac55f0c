using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Transport;

/// <summary>Frames over TLS 1.3: four bytes of length, little-endian, then the bytes (docs/formats/tls.md).</summary>
/// <remarks>
/// Invariants: (1) after the first failure, a cancelled call included, every call fails in the same way, because the
/// stream's place between frames is lost; (2) one sender and one receiver at a time; (3) large frames are encrypted and
/// decrypted on the thread pool, never on the engine's loop.
/// </remarks>
internal sealed class TlsConnection : IConnection
{
    internal const int HeaderBytes = 4;

    // Up to here a frame is gathered into one TLS record; above, its body is encrypted where it lies.
    private const int SmallFrameBytes = 16 * 1024;

    private const string EndsInFrame = "the connection ended in the middle of a frame";

    private readonly Socket _socket;
    private readonly RecordStream _records;
    private readonly SslStream _tls;
    private readonly FramePool _pool;
    private readonly Action<TlsConnection> _closed;
    private readonly byte[] _header = new byte[HeaderBytes];
    private TransportError? _failure;
    private int _sending;
    private int _receiving;
    private long _received;
    private bool _frameBegun;
    private Stall _lastSend;
    private Stall _lastReceive;

    internal TlsConnection(TlsHandshake handshake, FramePool pool, Action<TlsConnection> closed)
    {
        _socket = handshake.Socket;
        _records = handshake.Records;
        _tls = handshake.Tls;
        _pool = pool;
        _closed = closed;
        Peer = handshake.Peer;
        RemoteAddress = Endpoints.Plain((IPEndPoint)_socket.RemoteEndPoint!);
    }

    public PeerIdentity Peer { get; }

    public IPEndPoint RemoteAddress { get; }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Result<Unit, TransportError>> Send(
        ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        long total = (long)head.Length + body.Length;
        Invariant.That(total <= IConnection.FrameBytesMax, $"a frame of {total} bytes");
        cancellation.ThrowIfCancellationRequested();
        if (_failure is { } earlier)
        {
            return earlier;
        }

        Invariant.That(Interlocked.Exchange(ref _sending, 1) == 0, "two senders on one connection");
        try
        {
            if (total <= SmallFrameBytes)
            {
                await SendSmall(head, body, cancellation).ConfigureAwait(false);
            }
            else
            {
                await SendLarge(head, body, cancellation).ConfigureAwait(false);
            }

            return Unit.Value;
        }
        catch (OperationCanceledException)
        {
            Fail(new TransportError(TransportErrorKind.Closed, "a send was cancelled"));
            throw;
        }
        catch (Exception failure) when (IsOfNetwork(failure))
        {
            return Fail(Describe(failure));
        }
        finally
        {
            Volatile.Write(ref _sending, 0);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Result<IFrame, TransportError>> Receive(CancellationToken cancellation, int bytesMax)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_failure is { } earlier)
        {
            return earlier;
        }

        Invariant.That(Interlocked.Exchange(ref _receiving, 1) == 0, "two receivers on one connection");
        PooledFrame? frame = null;
        try
        {
            if (!await Fill(_header, cancellation).ConfigureAwait(false))
            {
                return Fail(new TransportError(TransportErrorKind.Closed, "the peer closed the connection"));
            }

            uint length = BinaryPrimitives.ReadUInt32LittleEndian(_header);
            if (length > bytesMax)
            {
                string detail = $"a frame of {length} bytes, more than the {bytesMax} allowed";
                return Fail(new TransportError(TransportErrorKind.Protocol, detail));
            }

            frame = _pool.Rent((int)length);
            await FillBody(frame.Buffer, cancellation).ConfigureAwait(false);
            Volatile.Write(ref _frameBegun, false);
            PooledFrame received = frame;
            frame = null;
            return received;
        }
        catch (OperationCanceledException)
        {
            Fail(new TransportError(TransportErrorKind.Closed, "a receive was cancelled"));
            throw;
        }
        catch (Exception failure) when (IsOfNetwork(failure))
        {
            return Fail(Describe(failure));
        }
        finally
        {
            frame?.Dispose();
            Volatile.Write(ref _receiving, 0);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Fail(new TransportError(TransportErrorKind.Closed, "this side closed the connection"));
        return ValueTask.CompletedTask;
    }

    /// <summary>Closes the connection when a frame that has begun made no progress since <paramref name="patience"/> ago.</summary>
    /// <remarks>Called now and then from one thread.</remarks>
    internal void CloseIfStalled(TimeProvider time, TimeSpan patience)
    {
        bool sendStalls = _lastSend.Observe(
            Volatile.Read(ref _sending) == 1, _records.WriteProgress, time, patience);
        bool receiveStalls = _lastReceive.Observe(
            Volatile.Read(ref _frameBegun), Volatile.Read(ref _received), time, patience);
        if (sendStalls || receiveStalls)
        {
            string what = sendStalls ? "takes no data" : "stopped in the middle of a frame";
            Fail(new TransportError(TransportErrorKind.TimedOut, $"the peer {what} for {patience.TotalSeconds:0} s"));
        }
    }

    private async ValueTask SendSmall(
        ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        int total = HeaderBytes + head.Length + body.Length;
        byte[] record = ArrayPool<byte>.Shared.Rent(total);
        try
        {
            BinaryPrimitives.WriteInt32LittleEndian(record, head.Length + body.Length);
            head.CopyTo(record.AsMemory(HeaderBytes));
            body.CopyTo(record.AsMemory(HeaderBytes + head.Length));
            await _tls.WriteAsync(record.AsMemory(0, total), cancellation).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(record);
        }
    }

    private async ValueTask SendLarge(
        ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        await new ThreadPoolHop();
        _records.GathersWrites = true;
        byte[] length = ArrayPool<byte>.Shared.Rent(HeaderBytes);
        try
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, head.Length + body.Length);
            await _tls.WriteAsync(length.AsMemory(0, HeaderBytes), cancellation).ConfigureAwait(false);
            await _tls.WriteAsync(head, cancellation).ConfigureAwait(false);
            await _tls.WriteAsync(body, cancellation).ConfigureAwait(false);
            await _records.FlushAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _records.GathersWrites = false;
            ArrayPool<byte>.Shared.Return(length);
        }
    }

    private async ValueTask FillBody(Memory<byte> body, CancellationToken cancellation)
    {
        bool isLarge = body.Length > SmallFrameBytes;
        if (isLarge)
        {
            await new ThreadPoolHop();
        }

        _records.ReadsAhead = isLarge;
        if (!await Fill(body, cancellation).ConfigureAwait(false))
        {
            throw new EndOfStreamException(EndsInFrame);
        }

        _records.ReadsAhead = false;
    }

    // False when the stream ends before the first byte of a header: the only place where an end is in order.
    private async ValueTask<bool> Fill(Memory<byte> buffer, CancellationToken cancellation)
    {
        int done = 0;
        while (done < buffer.Length)
        {
            int count = await _tls.ReadAsync(buffer[done..], cancellation).ConfigureAwait(false);
            if (count == 0)
            {
                return _frameBegun ? throw new EndOfStreamException(EndsInFrame) : false;
            }

            done += count;
            Volatile.Write(ref _received, _received + count);
            Volatile.Write(ref _frameBegun, true);
        }

        return true;
    }

    private static bool IsOfNetwork(Exception failure) =>
        failure is IOException or SocketException or ObjectDisposedException or AuthenticationException;

    private static TransportError Describe(Exception failure) => new(
        failure is AuthenticationException
            ? TransportErrorKind.Protocol
            : TransportErrorKind.Closed,
        failure.InnerException is { } inner ? $"{failure.Message} {inner.Message}" : failure.Message);

    // The first failure is the one that says why; closing the socket makes calls under way fail after it.
    private TransportError Fail(TransportError error)
    {
        lock (_header)
        {
            if (_failure is { } earlier)
            {
                return earlier;
            }

            _failure = error;
        }

        Close();
        return error;
    }

    private void Close()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The peer was faster.
        }

        _socket.Dispose();
        _tls.Dispose();
        _closed(this);
    }

    /// <summary>What one direction had done when last looked at.</summary>
    private struct Stall
    {
        private long _progress;
        private long _since;
        private bool _active;

        internal bool Observe(bool active, long progress, TimeProvider time, TimeSpan patience)
        {
            if (!active || !_active || progress != _progress)
            {
                (_active, _progress, _since) = (active, progress, time.GetTimestamp());
                return false;
            }

            return time.GetElapsedTime(_since) >= patience;
        }
    }
}
