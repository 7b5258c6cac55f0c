using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>
/// Which handles this mount holds, so that a mount that goes away without closing them leaves none open.
/// </summary>
internal sealed class OpenFiles(IVolume volume)
{
    private readonly Lock _gate = new();
    private readonly HashSet<ulong> _handles = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _handles.Count;
            }
        }
    }

    public void Opened(OpenHandle handle)
    {
        lock (_gate)
        {
            _handles.Add(handle.Value);
        }
    }

    /// <returns>False when it was not open.</returns>
    public bool Closed(OpenHandle handle)
    {
        lock (_gate)
        {
            return _handles.Remove(handle.Value);
        }
    }

    /// <summary>Gives one back that the kernel did not take.</summary>
    public void Refuse(OpenHandle handle)
    {
        if (Closed(handle))
        {
            _ = ReleaseOne(handle);
        }
    }

    /// <summary>Releases what is left: the drafts are published as a close would have done.</summary>
    public async Task ReleaseAll()
    {
        ulong[] left;
        lock (_gate)
        {
            left = [.. _handles];
            _handles.Clear();
        }

        foreach (ulong handle in left)
        {
            await ReleaseOne(new OpenHandle(handle)).ConfigureAwait(false);
        }
    }

    private async Task ReleaseOne(OpenHandle handle)
    {
        await volume.Flush(handle, 0).ConfigureAwait(false);
        await volume.Release(handle).ConfigureAwait(false);
    }
}
