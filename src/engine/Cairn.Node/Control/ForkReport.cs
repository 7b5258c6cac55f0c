using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Peers;
using Cairn.Node.Pool;

namespace Cairn.Node.Control;

/// <summary>Members that signed two histories of one log, for the owner: named, and what to do about them.</summary>
/// <remarks>Known since the start; a member that has both blocks offers them again. Thread: the engine's loop.</remarks>
internal sealed class ForkReport(PoolLog pool, VolumeSet volumes, PoolView view)
{
    /// <summary>The stable word for it.</summary>
    public const string Code = "log-forked";

    /// <summary>One problem for each member and volume.</summary>
    public IEnumerable<NodeProblem> Problems =>
        volumes.Open.Select(volume => volume.Log).Prepend(pool).SelectMany(log => log.Forked.Select(
            author => Of(log.Volume, author)));

    private NodeProblem Of(VolumeId volume, NodeId author)
    {
        string name = view.NameOf(author);
        string where = view.State.Volumes.TryGetValue(volume, out PoolVolume? known) ? $"in '{known.Name}'"
            : "in the pool's own log";
        return new NodeProblem(
            Code,
            $"{(author == view.Self ? "This machine" : name)} signed two different histories of what it wrote {where}: "
            + "its home was copied and runs twice, or somebody else has its key. What came second has no effect here.",
            "Stop one of the two, delete its home and join anew with it; "
            + $"if neither is yours, `cairn node revoke {name}`.");
    }
}
