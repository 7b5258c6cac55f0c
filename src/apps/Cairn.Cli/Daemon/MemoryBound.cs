namespace Cairn.Cli.Daemon;

/// <summary>Keeps garbage from piling up while the daemon works: collects when it has grown, beside what runs.</summary>
/// <remarks>
/// It looks after each collection that the runtime makes by itself, so it costs a daemon at rest nothing: the runtime calls the
/// finalizer of an object that nobody has after the next one. What it brought: docs/performance.md.
/// </remarks>
internal sealed class MemoryBound : IDisposable
{
    private readonly GrowthWatch _watch = new();
    private volatile bool _isDisposed;

    /// <summary>Begins to watch.</summary>
    public MemoryBound() => _ = new Sentinel(this);

    /// <inheritdoc/>
    public void Dispose() => _isDisposed = true;

    private void Look()
    {
        GCMemoryInfo beside = GC.GetGCMemoryInfo(GCKind.Background);
        GCMemoryInfo blocking = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        GCMemoryInfo full = beside.Index > blocking.Index ? beside : blocking;
        long holes = full.GenerationInfo[GC.MaxGeneration].FragmentationAfterBytes;
        DueCollection due = _watch.Look(full.Index, Used(full), holes, Used(GC.GetGCMemoryInfo(GCKind.Any)));
        if (due != DueCollection.None)
        {
            bool compacts = due == DueCollection.Compacting;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: compacts, compacting: compacts);
        }
    }

    private static long Used(in GCMemoryInfo info) => info.HeapSizeBytes - info.FragmentedBytes;

    private sealed class Sentinel(MemoryBound owner)
    {
        ~Sentinel()
        {
            if (!owner._isDisposed)
            {
                owner.Look();
                _ = new Sentinel(owner);
            }
        }
    }
}
