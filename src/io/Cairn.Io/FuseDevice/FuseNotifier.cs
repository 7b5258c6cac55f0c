using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.FuseDevice;

/// <summary>
/// Writes notifications on a thread of its own, since the kernel may wait for requests in progress before it takes
/// one.
/// </summary>
internal sealed class FuseNotifier(IFuseHandler handler)
{
    private readonly object _gate = new();
    private readonly ByteQueue _queue = new();
    private byte[] _last = [];
    private int _lastLength;
    private bool _isStopped;

    internal void Start(SafeFileHandle device, string name) =>
        new Thread(() => Run(device)) { IsBackground = true, Name = name }.Start();

    internal void Add(ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            // One that waits already says it: many writes to one file are one message.
            if (_isStopped || (_queue.Count > 0 && message.SequenceEqual(_last.AsSpan(0, _lastLength))))
            {
                return;
            }

            if (_last.Length < message.Length)
            {
                _last = new byte[Math.Max(message.Length, 2 * _last.Length)];
            }

            message.CopyTo(_last);
            _lastLength = message.Length;
            _queue.Enqueue(message);
            Monitor.Pulse(_gate);
        }
    }

    internal void Stop()
    {
        lock (_gate)
        {
            _isStopped = true;
            _queue.Clear();
            Monitor.Pulse(_gate);
        }
    }

    private void Run(SafeFileHandle device)
    {
        byte[] buffer = [];
        while (Next(ref buffer, out int length))
        {
            ReadOnlySpan<byte> message = buffer.AsSpan(0, length);
            try
            {
                handler.NoticeBegins(message);
                Write(device, message);
                handler.NoticeTaken(message);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    /// <summary>Waits for a message; false when there will be none.</summary>
    private bool Next(ref byte[] buffer, out int length)
    {
        lock (_gate)
        {
            while (!_isStopped && _queue.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            return _queue.TryDequeue(ref buffer, out length) && !_isStopped;
        }
    }

    /// <summary>An error means that the kernel has not cached what changed, or that the mount is gone.</summary>
    internal static unsafe void Write(SafeFileHandle device, ReadOnlySpan<byte> message)
    {
        fixed (byte* bytes = message)
        {
            _ = FuseSystem.Write(device, bytes, message.Length);
        }
    }
}
