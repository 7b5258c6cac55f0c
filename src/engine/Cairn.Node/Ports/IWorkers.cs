namespace Cairn.Node.Ports;

/// <summary>How urgent background work is.</summary>
public enum WorkPriority
{
    /// <summary>Somebody waits for it: an fsync, a read.</summary>
    Foreground,

    /// <summary>Nobody waits: cutting, encrypting, scrubbing. Runs at a lower thread priority.</summary>
    Background,
}

/// <summary>Runs work that blocks or burns CPU away from the engine's own loop.</summary>
/// <remarks>
/// In the simulator the work runs inline, in the only thread. The work must touch nothing that the loop may touch
/// meanwhile; its result comes back on the engine's context.
/// </remarks>
public interface IWorkers
{
    /// <summary>Runs <paramref name="work"/> and returns what it returned.</summary>
    Task<T> Run<T>(WorkPriority priority, Func<T> work, CancellationToken cancellation = default);

    /// <summary>Starts a loop on the engine's context: exceptions that escape it are reported, never lost.</summary>
    /// <param name="name">For reports: "repair", "write path".</param>
    /// <param name="loop">The loop; it ends when its node stops.</param>
    void Start(string name, Func<Task> loop);
}
