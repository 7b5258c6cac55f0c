using Cairn.Core.Primitives;
using Cairn.Node.Control;

namespace Cairn.Gateway.Control;

/// <summary>A mounted drive.</summary>
/// <param name="Volume">The volume's name.</param>
/// <param name="Directory">Where it is mounted.</param>
public sealed record MountSummary(string Volume, string Directory);

/// <summary>What the daemon can do with mounts; the program wires it to the FUSE door.</summary>
public interface IMountControl
{
    /// <summary>The mounted drives, by directory.</summary>
    IReadOnlyList<MountSummary> Mounts { get; }

    /// <summary>What its owner should know: drives that should be mounted and are not.</summary>
    IReadOnlyList<NodeProblem> Problems => [];

    /// <summary>Mounts a volume, now and at every start.</summary>
    ValueTask<Result<MountSummary, ControlError>> Mount(
        string volume, string directory, CancellationToken cancellation);

    /// <summary>Unmounts a drive; it is not mounted at the next start either.</summary>
    /// <param name="force">Detach it though files are open in it.</param>
    ValueTask<Result<Unit, ControlError>> Unmount(string directory, bool force, CancellationToken cancellation);
}
