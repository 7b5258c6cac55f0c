using System.Buffers;
using System.Net.Sockets;

namespace Cairn.Io.Transport;

/// <summary>The socket below TLS: gathers and reads ahead, so that 16 KiB TLS records do not cost a system call each.</summary>
/// <remarks>
/// In bulk mode, which the connection switches on around large frames, writes gather in a rented buffer until it is full
/// or flushed, and reads fetch up to a buffer ahead. Outside it there are no buffers, so idle connections cost nothing.
/// Thread: one writer and one reader at a time.
/// </remarks>
internal sealed class RecordStream(Socket socket) : Stream
{
    /// <summary>One system call moves at most so much.</summary>
    internal const int BufferBytes = 256 * 1024;

    private byte[]? _written;
    private int _writtenCount;
    private byte[]? _ahead;
    private int _aheadStart;
    private int _aheadEnd;
    private long _progress;

    /// <summary>Whether writes gather until <see cref="FlushAsync"/>.</summary>
    internal bool GathersWrites { get; set; }

    /// <summary>Whether reads fetch ahead.</summary>
    internal bool ReadsAhead { get; set; }

    /// <summary>Counts network writes that completed; it stands still when the peer takes nothing.</summary>
    internal long WriteProgress => Volatile.Read(ref _progress);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_ahead is not null || (ReadsAhead && buffer.Length > 0))
        {
            return ReadBuffered(buffer, cancellationToken);
        }

        return socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
    }

    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!GathersWrites)
        {
            await SendAll(buffer, cancellationToken).ConfigureAwait(false);
            return;
        }

        _written ??= ArrayPool<byte>.Shared.Rent(BufferBytes);
        if (_written.Length - _writtenCount < buffer.Length)
        {
            await Drain(cancellationToken).ConfigureAwait(false);
        }

        if (buffer.Length > _written.Length)
        {
            await SendAll(buffer, cancellationToken).ConfigureAwait(false);
            return;
        }

        buffer.CopyTo(_written.AsMemory(_writtenCount));
        _writtenCount += buffer.Length;
    }

    /// <summary>Sends what was gathered and gives the buffer back.</summary>
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_written is { } buffer)
        {
            await Drain(cancellationToken).ConfigureAwait(false);
            _written = null;
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private async ValueTask<int> ReadBuffered(Memory<byte> buffer, CancellationToken cancellation)
    {
        if (_aheadStart == _aheadEnd)
        {
            _ahead ??= ArrayPool<byte>.Shared.Rent(BufferBytes);
            _aheadStart = 0;
            _aheadEnd = 0;
            _aheadEnd = await socket.ReceiveAsync(_ahead, SocketFlags.None, cancellation).ConfigureAwait(false);
        }

        int count = Math.Min(buffer.Length, _aheadEnd - _aheadStart);
        _ahead.AsMemory(_aheadStart, count).CopyTo(buffer);
        _aheadStart += count;
        if (_aheadStart == _aheadEnd && !ReadsAhead)
        {
            ArrayPool<byte>.Shared.Return(_ahead!);
            _ahead = null;
        }

        return count;
    }

    private async ValueTask Drain(CancellationToken cancellation)
    {
        int count = _writtenCount;
        _writtenCount = 0;
        await SendAll(_written.AsMemory(0, count), cancellation).ConfigureAwait(false);
    }

    private async ValueTask SendAll(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
        {
            int sent = await socket.SendAsync(bytes, SocketFlags.None, cancellation).ConfigureAwait(false);
            bytes = bytes[sent..];
            Volatile.Write(ref _progress, _progress + 1);
        }
    }
}
