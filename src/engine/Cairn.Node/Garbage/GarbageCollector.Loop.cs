using Cairn.Core.Primitives;

namespace Cairn.Node.Garbage;

/// <summary>When the steps are run: some time after something changed, and again when a look may find something.</summary>
public sealed partial class GarbageCollector
{
    private const int QuietTurnsMax = 6;
    private const int RestPerWork = 20;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private TimeSpan _took;
    private TimeSpan _noLook;
    private bool _isAtOnce = true;

    private async Task Loop()
    {
        while (!_stop.IsCancellationRequested)
        {
            await _wake.Wait();
            _wake.Hear();
            if (_stop.IsCancellationRequested)
            {
                break;
            }

            try
            {
                NoteRemovals();
                bool isLarge = await Quiet();
                bool isDone = false;
                long started = _time.GetTimestamp();
                while (await Round(_stop.Token))
                {
                    isDone = true;
                }

                // What could not be done at once is tried again in its time.
                _isAtOnce = isDone || !isLarge;
                _took = _time.GetElapsedTime(started) - _noLook;
                _noLook = default;
                if (Patience() is { } patience)
                {
                    await Rest(patience);
                    _wake.Raise();
                }
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
    }

    /// <summary>Waits for a moment without writes, but not for ever, and hardly if a large condemnation waits for this node.</summary>
    /// <remarks>
    /// A walk costs a look at every version: never more than a twentieth of the time. For a large condemnation half of it:
    /// whoever removes much gets it back while the walk is paid for by thousands of chunks.
    /// </remarks>
    /// <returns>Whether one waits.</returns>
    private async Task<bool> Quiet()
    {
        TimeSpan wait = Longer(_took * RestPerWork, _options.Delay);
        for (int turn = 0; turn <= QuietTurnsMax; turn++)
        {
            long began = _time.GetTimestamp();
            while (wait - _time.GetElapsedTime(began) is { Ticks: > 0 } left)
            {
                if (_isAtOnce && AwaitsLarge())
                {
                    await Task.Delay(Longer(_took, _options.LargeDelay), _time, _stop.Token);
                    _wake.Hear();
                    return true;
                }

                await Task.Delay(left < LookEvery ? left : LookEvery, _time, _stop.Token);
                NoteRemovals();
            }

            if (!_wake.IsRaised)
            {
                break;
            }

            _wake.Hear();
            wait = _options.Delay;
        }

        _wake.Hear();
        return false;
    }

    /// <summary>What was removed ages from now on, though the look that finds it may rest for minutes.</summary>
    private void NoteRemovals()
    {
        if (!_options.IsPrivate && !_options.IsRemoved)
        {
            _brake.Note();
        }
    }

    /// <summary>Whether a large condemnation waits for a step of this node, and for nobody else before.</summary>
    private bool AwaitsLarge()
    {
        if (_condemned.IsEmpty || Members.IsReturning)
        {
            return false;
        }

        TransactionId[] large =
            [.. _condemned.Lists.Where(list => list.Value >= _options.LargeFrom).Select(static list => list.Key)];
        if (large.Length == 0)
        {
            return false;
        }

        lock (_log.Gate)
        {
            GarbageMark mine = GarbageMark.Of(_queries, _self);
            if (large.Any(by => !mine.Acknowledged.Contains(by)))
            {
                return true;
            }

            List<GarbageMark> marks = MarksOfWriters();
            return large.Any(by => marks.TrueForAll(mark => mark.Acknowledged.Contains(by))
                && (!mine.CarriedOut.Contains(by)
                    || (IsCondemner && marks.TrueForAll(mark => mark.CarriedOut.Contains(by)))));
        }
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>Waits for so long, or until something happens, or space gets short: then the past is wanted at once.</summary>
    private async Task Rest(TimeSpan patience)
    {
        long began = _time.GetTimestamp();
        bool wasShort = IsSpaceShort();
        while (!_wake.IsRaised && (wasShort || !IsSpaceShort())
            && patience - _time.GetElapsedTime(began) is { Ticks: > 0 } left)
        {
            await _wake.Wait(left < _options.Interval ? left : _options.Interval, _time, _stop.Token);
        }
    }

    /// <summary>
    /// How long until a look may find something without anything having changed; null for no past at all.
    /// </summary>
    private TimeSpan? Patience()
    {
        bool isShort = IsSpaceShort();
        lock (_log.Gate)
        {
            if (_options.IsRemoved)
            {
                return IsEmptied ? null : _options.Interval;
            }

            bool hasPast = _queries.DetachedObjects().Any() || _queries.SupersededVersions().Any();
            bool isWaiting = _finder.HasUnsettled || _unnamed.Count > 0 || _queries.Condemned().Count > 0;
            return isWaiting || (hasPast && isShort) ? _options.Interval
                : hasPast ? _options.KeepInterval
                : null;
        }
    }
}
