using Cairn.Simulation.Time;

namespace Cairn.Simulation.Campaigns;

/// <summary>What happened in a run, in virtual time: what was broken and mended, and what the nodes' diaries said.</summary>
/// <remarks>Thread: the simulation's.</remarks>
/// <param name="scheduler">Whose time.</param>
/// <param name="listener">Told every line; null when only the last are wanted.</param>
internal sealed class Chronicle(SimulatedScheduler scheduler, Action<string>? listener)
{
    private const int LinesMax = 240;

    private readonly Queue<string> _last = new();

    /// <summary>The last lines, oldest first.</summary>
    public IReadOnlyList<string> Last => [.. _last];

    /// <summary>Notes something.</summary>
    /// <param name="who">A machine, or what else it is about.</param>
    /// <param name="text">What happened.</param>
    public void Add(string who, string text)
    {
        string line = $"{scheduler.Now:d\\.hh\\:mm\\:ss\\.fff} {who} {text}";
        listener?.Invoke(line);
        _last.Enqueue(line);
        if (_last.Count > LinesMax)
        {
            _last.Dequeue();
        }
    }
}
