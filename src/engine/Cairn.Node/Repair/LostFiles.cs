using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Pool;

namespace Cairn.Node.Repair;

/// <summary>Names the files that have chunks of which no good copy is to be found.</summary>
/// <remarks>
/// All files are looked through for that, so it is done only when other chunks are lost than when it was done last, and every
/// ten minutes as long as a file is named. Thread: the engine's loop.
/// </remarks>
internal sealed class LostFiles(NodePorts ports, VolumeSet volumes)
{
    private const int PathsMax = 10;
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(10);

    private HashSet<ChunkAddress> _lost = [];
    private List<string> _paths = [];
    private long _looked;

    /// <summary>What the owner is told; null when nothing is lost, or no file has it any more.</summary>
    public NodeProblem? Problem => _paths.Count == 0 ? null : new NodeProblem(
        DamageReport.Code,
        "Cannot be read in full, because no good copy of a part was found: "
            + string.Join(", ", _paths) + (_paths.Count == PathsMax ? ", and perhaps more." : "."),
        "Connect every machine that may have a copy, read the file on one that has it open or cached, or bring an "
            + "earlier version back: `cairn log` and `cairn restore`.");

    /// <summary>Looks for the files, if they may be others than those that are named.</summary>
    public async Task Look(IReadOnlyCollection<ChunkAddress> lost, CancellationToken cancellation)
    {
        bool isDue = _paths.Count > 0 && ports.Time.GetElapsedTime(_looked) >= Again;
        if (_lost.SetEquals(lost) && !isDue)
        {
            return;
        }

        HashSet<ChunkAddress> wanted = [.. lost];
        List<string> paths = [];
        foreach (IHostedVolume volume in lost.Count == 0 ? [] : volumes.Open.ToArray())
        {
            paths.AddRange(await volume.FilesWith(wanted, string.Empty, PathsMax - paths.Count, cancellation));
        }

        (_lost, _paths, _looked) = (wanted, paths, ports.Time.GetTimestamp());
    }
}
