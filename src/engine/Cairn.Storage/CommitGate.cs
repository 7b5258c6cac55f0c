using Cairn.Core.Primitives;

namespace Cairn.Storage;

/// <summary>Group commit: of the callers that come together one syncs, and all get its result.</summary>
/// <remarks>A result covers everything that was written before the call. Threads: any.</remarks>
internal sealed class CommitGate(Func<Result<Unit, StoreError>> sync)
{
    private readonly object _gate = new();
    private ulong _asked;
    private ulong _covered;
    private bool _syncing;
    private Result<Unit, StoreError> _last = Unit.Value;

    /// <summary>Blocks until a sync that began after the call has ended.</summary>
    public Result<Unit, StoreError> Commit()
    {
        ulong covering;
        lock (_gate)
        {
            ulong mine = ++_asked;
            while (_covered < mine && _syncing)
            {
                Monitor.Wait(_gate);
            }

            if (_covered >= mine)
            {
                return _last;
            }

            _syncing = true;
            covering = _asked;
        }

        Result<Unit, StoreError> result = sync();
        lock (_gate)
        {
            _syncing = false;
            _covered = covering;
            _last = result;
            Monitor.PulseAll(_gate);
            return result;
        }
    }
}
