using Cairn.Core.Log;

namespace Cairn.Node.Garbage;

/// <summary>The same steps for a volume that was removed: all of it is garbage, and nobody needs any of it.</summary>
/// <remarks>
/// A node acknowledges so only once it has heard of the removal, by what it has folded itself, and writes to the volume no
/// more. One that has not, and may even bring the volume back with a clone, looks as ever and rescues what its tree names.
/// </remarks>
public sealed partial class GarbageCollector
{
    private volatile bool _isEmptied;

    /// <summary>Whether all that a removed volume took was given back by every member.</summary>
    public bool IsPurged
    {
        get
        {
            lock (_log.Gate)
            {
                return _options.IsRemoved && _purge.IsDone;
            }
        }
    }

    /// <summary>Whether nothing of a removed volume is kept here any more.</summary>
    public bool IsEmptied => _isEmptied || IsPurged;

    private async Task<bool> Purge(CancellationToken cancellation)
    {
        if (Members.IsPurged && !IsEmptied)
        {
            return await RemoveAll(cancellation);
        }

        bool isPurging = IsCondemner && Members.HaveHeardOfRemoval && await CondemnAll(cancellation);
        isPurging |= AcknowledgeUnread();
        isPurging |= await CarryOut(cancellation);
        return Settle() || isPurging;
    }

    /// <summary>(1) Condemns the next of all its chunks, once the last were settled.</summary>
    private async Task<bool> CondemnAll(CancellationToken cancellation)
    {
        PurgeMark last;
        lock (_log.Gate)
        {
            last = _purge.Mark;
            if (_queries.Condemned().Count > 0 || last.Stage == PurgeStage.Done)
            {
                return false;
            }
        }

        if (await _purge.Next(last, _finder.IsOwn, mayMiss: false, cancellation) is not var (addresses, mark))
        {
            return false;
        }

        lock (_log.Gate)
        {
            return addresses.Count == 0
                ? Write(mark.ToPrimitive())
                : WriteCondemned(new Condemn(LogPositions.Empty, [], [], [.. addresses], []), mark.ToPrimitive());
        }
    }

    /// <summary>(2) Nothing is needed here, so there is nothing to look for.</summary>
    private bool AcknowledgeUnread()
    {
        lock (_log.Gate)
        {
            return Unacknowledged() is { Count: > 0 } unseen && Write(Acknowledging(unseen));
        }
    }

    /// <summary>
    /// The others are done, without this node, which was forgotten: what its own tree names goes from here, or repair
    /// would bring it back to all.
    /// </summary>
    private async Task<bool> RemoveAll(CancellationToken cancellation)
    {
        PurgeMark mark = PurgeMark.Begin;
        while (mark.Stage != PurgeStage.Done
            && await _purge.Next(mark, _finder.IsOwn, mayMiss: true, cancellation) is var (addresses, next))
        {
            if (!Remove([.. addresses]))
            {
                return false;
            }

            mark = next;
        }

        return _isEmptied = true;
    }
}
