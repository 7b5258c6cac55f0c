using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Io.Transport;

/// <summary>Buffers of received frames, counted so that a test can prove that all came back.</summary>
internal sealed class FramePool
{
    private int _outstanding;

    /// <summary>Frames that their receivers have not disposed yet.</summary>
    internal int Outstanding => Volatile.Read(ref _outstanding);

    internal PooledFrame Rent(int length)
    {
        Interlocked.Increment(ref _outstanding);
        return new PooledFrame(this, ArrayPool<byte>.Shared.Rent(length), length);
    }

    internal void Return(byte[] buffer)
    {
        int left = Interlocked.Decrement(ref _outstanding);
        Invariant.That(left >= 0, "a frame came back that was never rented");
        ArrayPool<byte>.Shared.Return(buffer);
    }
}

/// <inheritdoc/>
internal sealed class PooledFrame(FramePool pool, byte[] buffer, int length) : IFrame
{
    private byte[]? _buffer = buffer;

    public ReadOnlyMemory<byte> Bytes => Buffer;

    internal Memory<byte> Buffer
    {
        get
        {
            byte[]? held = _buffer;
            Invariant.That(held is not null, "a frame used after it was disposed");
            return held.AsMemory(0, length);
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } held)
        {
            pool.Return(held);
        }
    }
}
