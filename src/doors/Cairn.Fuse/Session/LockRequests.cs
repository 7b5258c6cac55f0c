using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>GETLK, SETLK, SETLKW, and INTERRUPT, which ends the wait of the last.</summary>
/// <remarks>
/// Only lock waits can be interrupted: everything else is answered in bounded time. An INTERRUPT may be read by one
/// thread before another has begun the wait that it is about, so those that found nothing are remembered for a while;
/// uniques are never reused.
/// </remarks>
internal sealed class LockRequests(IVolume volume, ReplyPath reply)
{
    private const int EarlyMax = 64;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, CancellationTokenSource> _waits = [];
    private readonly ulong[] _early = new ulong[EarlyMax];
    private int _nextEarly;

    public bool Test(FuseRequest request)
    {
        if (!request.TryRead(out FuseLockIn asked) || !TryLock(asked, out RangeLock wanted))
        {
            return false;
        }

        reply.Complete(
            request.Exchange,
            volume.TestLock(new OpenHandle(asked.Handle), wanted),
            static (exchange, held) => FuseReplies.Write(exchange, new FuseFileLock
            {
                Start = (ulong)held.Start,
                End = (ulong)held.End,
                Pid = held.ProcessId,
                Type = held.Kind switch
                {
                    LockKind.Shared => Linux.LockRead,
                    LockKind.Exclusive => Linux.LockWrite,
                    LockKind.None => Linux.LockUnlock,
                    _ => Linux.LockUnlock,
                },
            }));
        return true;
    }

    public bool Set(FuseRequest request, bool wait)
    {
        if (!request.TryRead(out FuseLockIn asked) || !TryLock(asked, out RangeLock wanted))
        {
            return false;
        }

        var handle = new OpenHandle(asked.Handle);
        bool wholeFile = (asked.Flags & FuseRequestFlags.LockIsFlock) != 0;
        reply.Complete(
            request.Exchange,
            wait && wanted.Kind != LockKind.None
                ? Wait(request.Header.Unique, handle, wanted, wholeFile)
                : volume.SetLock(handle, wanted, wholeFile, wait: false, CancellationToken.None),
            ReplyPath.Empty);
        return true;
    }

    public bool Interrupt(FuseRequest request)
    {
        if (request.TryRead(out FuseInterruptIn asked))
        {
            CancellationTokenSource? wait;
            lock (_gate)
            {
                if (!_waits.TryGetValue(asked.Unique, out wait))
                {
                    _early[_nextEarly++ % EarlyMax] = asked.Unique;
                }
            }

            wait?.Cancel();
        }

        request.Exchange.Drop();
        return true;
    }

    private async ValueTask<Result<Unit, VolumeError>> Wait(
        ulong unique, OpenHandle handle, RangeLock wanted, bool wholeFile)
    {
        var cancellation = new CancellationTokenSource();
        lock (_gate)
        {
            if (_early.Contains(unique))
            {
                return VolumeError.Interrupted;
            }

            _waits.Add(unique, cancellation);
        }

        try
        {
            return await volume.SetLock(handle, wanted, wholeFile, wait: true, cancellation.Token).ConfigureAwait(
                false);
        }
        finally
        {
            lock (_gate)
            {
                _waits.Remove(unique);
            }
        }
    }

    private static bool TryLock(in FuseLockIn asked, out RangeLock wanted)
    {
        LockKind? kind = asked.Lock.Type switch
        {
            Linux.LockRead => LockKind.Shared,
            Linux.LockWrite => LockKind.Exclusive,
            Linux.LockUnlock => LockKind.None,
            _ => null,
        };
        wanted = new RangeLock(
            asked.Owner,
            asked.Lock.Pid,
            (long)Math.Min(asked.Lock.Start, long.MaxValue),
            (long)Math.Min(asked.Lock.End, long.MaxValue),
            kind ?? LockKind.None);
        return kind is not null;
    }
}
