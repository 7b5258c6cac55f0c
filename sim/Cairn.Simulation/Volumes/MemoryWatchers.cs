using System.Collections.Immutable;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Volumes;

/// <summary>Those who want to know of changes.</summary>
internal sealed class MemoryWatchers
{
    private ImmutableArray<IVolumeWatcher> _watchers = [];

    public IDisposable Add(IVolumeWatcher watcher)
    {
        ImmutableInterlocked.Update(ref _watchers, static (all, added) => all.Add(added), watcher);
        return new Watch(this, watcher);
    }

    public void ObjectChanged(InodeNumber inode, bool contentChanged, long? grownFrom = null)
    {
        foreach (IVolumeWatcher watcher in _watchers)
        {
            watcher.ObjectChanged(inode, contentChanged, grownFrom);
        }
    }

    public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        foreach (IVolumeWatcher watcher in _watchers)
        {
            watcher.EntryChanged(parent, name);
        }
    }

    public void NamesChanged()
    {
        foreach (IVolumeWatcher watcher in _watchers)
        {
            watcher.NamesChanged();
        }
    }

    public void Closed()
    {
        foreach (IVolumeWatcher watcher in _watchers)
        {
            watcher.Closed();
        }
    }

    private sealed class Watch(MemoryWatchers owner, IVolumeWatcher watcher) : IDisposable
    {
        public void Dispose() =>
            ImmutableInterlocked.Update(ref owner._watchers, static (all, gone) => all.Remove(gone), watcher);
    }
}
