using Cairn.Core.Presence;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Pool;

namespace Cairn.Node.Peers;

/// <summary>Tells connected members which files are open for writing here, and hands on what they tell.</summary>
/// <remarks>
/// It looks once a second, so a file that is open for a moment only is told to nobody. Only those hear of a volume's files
/// that can open the volume. Thread: the engine's loop.
/// </remarks>
internal sealed class PresenceLoop
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly SortedDictionary<VolumeId, OpenFilesTold> _told = [];
    private readonly NodePorts _ports;
    private readonly PoolView _view;
    private readonly PeerSet _set;
    private readonly VolumeSet _volumes;

    /// <summary>Quiet until <see cref="Run"/>.</summary>
    public PresenceLoop(NodePorts ports, PoolView view, PeerSet set, VolumeSet volumes)
    {
        _ports = ports;
        _view = view;
        _set = set;
        _volumes = volumes;
        set.Disconnected += Forget;
    }

    /// <summary>Tells until it is cancelled.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(LookEvery, _ports.Time, cancellation);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            foreach (IHostedVolume volume in _volumes.Open)
            {
                Tell(volume.Log.Volume, volume.OpenFiles);
            }
        }
    }

    /// <summary>A member says what it has open.</summary>
    public void OnOpenFiles(PeerLink link, OpenFilesMessage message)
    {
        if (_view.CanRead(message.Volume, link.Peer) && _volumes.Find(message.Volume) is { } volume)
        {
            volume.HearOpenFiles(link.Peer, _view.NameOf(link.Peer), message.Files);
        }
    }

    private void Tell(VolumeId volume, IReadOnlyList<ObjectId> open)
    {
        if (!_told.TryGetValue(volume, out OpenFilesTold? told))
        {
            told = new OpenFilesTold();
            _told.Add(volume, told);
        }

        if (open.Count == 0 && told.IsSilent)
        {
            return;
        }

        long nowMs = (long)_ports.Time.GetElapsedTime(0).TotalMilliseconds;
        foreach (PeerLink link in _set.Links)
        {
            bool hears = link.Version >= ProtocolVersion.OpenFiles && _view.CanRead(volume, link.Peer);
            if (hears && told.Next(link.Peer, open, nowMs) is { } files)
            {
                link.Send(new OpenFilesMessage(volume, files));
            }
        }
    }

    private void Forget(PeerLink link)
    {
        foreach (OpenFilesTold told in _told.Values)
        {
            told.Forget(link.Peer);
        }
    }
}
