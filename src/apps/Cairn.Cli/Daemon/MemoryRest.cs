namespace Cairn.Cli.Daemon;

/// <summary>Gives memory back to the host when the daemon has come to rest.</summary>
/// <remarks>
/// The collector runs when something is allocated, and a daemon at rest allocates next to nothing: what a transfer needed
/// would stay until the next one. A guest on somebody's computer tidies up.
/// </remarks>
internal sealed class MemoryRest : IDisposable
{
    private readonly RestWatch _watch = new();
    private readonly Timer _timer;

    /// <summary>Begins to watch.</summary>
    public MemoryRest() => _timer = new Timer(_ => Look(), null, RestWatch.LookEvery, RestWatch.LookEvery);

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (_watch.Look(GC.GetTotalAllocatedBytes()))
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
