namespace Cairn.Node.Garbage;

/// <summary>When the steps are run: some time after something changed, and again when a look may find something.</summary>
public sealed partial class GarbageCollector
{
    private const int QuietTurnsMax = 6;

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
                await Quiet();
                long started = _time.GetTimestamp();
                while (await Round(_stop.Token))
                {
                }

                // A walk costs a look at every version: never more than a twentieth of the time.
                _rest = _time.GetElapsedTime(started) * 20;
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

    /// <summary>Waits for a moment without writes, but not for ever.</summary>
    private async Task Quiet()
    {
        await Task.Delay(_rest > _options.Delay ? _rest : _options.Delay, _time, _stop.Token);
        for (int turn = 0; turn < QuietTurnsMax && _wake.IsRaised; turn++)
        {
            _wake.Hear();
            await Task.Delay(_options.Delay, _time, _stop.Token);
        }

        _wake.Hear();
    }

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
