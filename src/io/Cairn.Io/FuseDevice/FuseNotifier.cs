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
    private readonly Queue<byte[]> _queue = [];
    private byte[]? _last;
    private bool _isStopped;

    internal void Start(SafeFileHandle device, string name) =>
        new Thread(() => Run(device)) { IsBackground = true, Name = name }.Start();

    internal void Add(ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            // One that waits already says it: many writes to one file are one message.
            if (_isStopped || (_queue.Count > 0 && message.SequenceEqual(_last)))
            {
                return;
            }

            _last = message.ToArray();
            _queue.Enqueue(_last);
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
        while (Next() is { } message)
        {
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

    /// <summary>Waits for a message; null when there will be none.</summary>
    private byte[]? Next()
    {
        lock (_gate)
        {
            while (!_isStopped && _queue.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            return _isStopped ? null : _queue.Dequeue();
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
