using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>Sends notifications to the kernel, and each once more one to two seconds later.</summary>
/// <remarks>
/// Of an inode or a name that the kernel does not have yet a notification is lost, while an answer about it that was made
/// before the change may still be on its way; the kernel would trust that for as long as
/// <see cref="FuseOptions.CacheTimeout"/> says. When it is told again, that answer has arrived.
/// </remarks>
internal sealed class ToldTwice
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    private readonly IFuseChannel _channel;
    private readonly PendingChanges _pending;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();

    /// <summary>Each the number of an inode, and the message about it.</summary>
    private ByteQueue _older = new();
    private ByteQueue _newer = new();
    private bool _isArmed;

    /// <summary>Nothing is told again of an inode while <paramref name="pending"/> covers it.</summary>
    public ToldTwice(IFuseChannel channel, PendingChanges pending, TimeProvider time)
    {
        _channel = channel;
        _pending = pending;
        _timer = time.CreateTimer(_ => Repeat(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Queues a notification, and remembers it.</summary>
    public void Notify(InodeNumber about, ReadOnlySpan<byte> message)
    {
        _channel.Notify(message);
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(number, about.Value);
        lock (_gate)
        {
            _newer.Enqueue(number, message);
            Arm();
        }
    }

    /// <summary>Nothing is told again from now on.</summary>
    public void Stop() => _timer.Dispose();

    private void Repeat()
    {
        ByteQueue due;
        lock (_gate)
        {
            _isArmed = false;
            due = _older;
            (_older, _newer) = (_newer, new ByteQueue());
            if (_older.Count > 0)
            {
                Arm();
            }
        }

        byte[] told = [];
        while (due.TryDequeue(ref told, out int length))
        {
            if (!_pending.Covers(new InodeNumber(BinaryPrimitives.ReadUInt64LittleEndian(told))))
            {
                _channel.Notify(told.AsSpan(sizeof(ulong), length - sizeof(ulong)));
            }
        }
    }

    private void Arm()
    {
        if (!_isArmed)
        {
            _isArmed = true;
            _timer.Change(Again, Timeout.InfiniteTimeSpan);
        }
    }
}
