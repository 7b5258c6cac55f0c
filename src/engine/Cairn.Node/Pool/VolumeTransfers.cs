using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node.Pool;

/// <summary>What is taken from others that a volume needs here: one thing at a time, and nothing any more once the node stops.</summary>
/// <remarks>Thread: the engine's loop.</remarks>
internal sealed class VolumeTransfers(IWorkers workers)
{
    private readonly SortedSet<VolumeId> _running = [];

    /// <summary>Whether nothing is taken any more: what is under way ends with the page that comes next.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Whether something is taken for a volume.</summary>
    public bool IsRunning(VolumeId volume) => _running.Contains(volume);

    /// <summary>Begins to take something, for a volume for which nothing is.</summary>
    /// <param name="name">For diagnosis.</param>
    /// <param name="volume">Which.</param>
    /// <param name="take">Takes it, and tells whether all of it is here.</param>
    /// <param name="ended">Is told that, unless the node stops.</param>
    public void Start(string name, VolumeId volume, Func<Task<bool>> take, Action<bool> ended)
    {
        Invariant.That(_running.Add(volume), "a volume for which something is taken already");
        workers.Start(name, () => Run(volume, take, ended));
    }

    /// <summary>Takes nothing any more.</summary>
    public void Stop() => IsStopped = true;

    private async Task Run(VolumeId volume, Func<Task<bool>> take, Action<bool> ended)
    {
        bool isWhole;
        try
        {
            isWhole = await take();
        }
        finally
        {
            _running.Remove(volume);
        }

        if (!IsStopped)
        {
            ended(isWhole);
        }
    }
}
