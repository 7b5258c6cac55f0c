using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

namespace Cairn.Node.Owner;

/// <summary>What is wrong with this node and what it knows of the pool, each with what to do about it.</summary>
internal sealed class ProblemList(NodeParts parts)
{
    /// <summary>All of them, those of nodes that are away first.</summary>
    public List<NodeProblem> Of(NodeId[] absent)
    {
        List<NodeProblem> problems = [];
        if (parts.HasLeft)
        {
            problems.Add(new NodeProblem(
                "left", "This node has left the pool.", "Stop it with `cairn down` and delete its home."));
        }

        problems.AddRange(parts.Peers.Refused.Problems(parts.HasLeft));
        foreach (NodeId node in absent)
        {
            problems.Add(new NodeProblem(
                "node-away", $"{parts.View.NameOf(node)} cannot be reached.",
                $"Start it, or `cairn node forget {parts.View.NameOf(node)}` if it is lost."));
        }

        problems.AddRange(RefusedHere() is { } refused ? [refused] : []);
        problems.AddRange(parts.Peers.Doubled.Problems(parts.View.NameOf));
        problems.AddRange(parts.Unreadable.Problem is { } unreadable ? [unreadable] : []);
        problems.AddRange(parts.RefusedWrites.Problem is { } noRoom ? [noRoom] : []);
        problems.AddRange(parts.Copies.Replicator.Unreadable.Problem is { } owed ? [owed] : []);
        problems.AddRange(parts.Errors.Problem is { } bug ? [bug] : []);
        problems.AddRange(parts.Pins.Summaries.Where(pin => pin.State == PinState.NoRoom).Select(pin => new NodeProblem(
            "pin-no-room",
            $"There is no room for all of {pin.Path}, which is pinned.",
            "Give more with `cairn space set`, or unpin something.")));
        problems.AddRange(parts.Volumes.Open.SelectMany(volume => BrakeProblems(volume.Volume)));
        problems.AddRange(parts.Volumes.Open.SelectMany(DroppedProblems));
        problems.AddRange(parts.BadCopies.Problem is { } lost ? [lost] : []);
        problems.AddRange(new ForkReport(parts.PoolLog, parts.Volumes, parts.View).Problems);
        problems.AddRange(parts.Damage.Problems);
        problems.AddRange(parts.OwnReturn.Problem is { } returning ? [returning] : []);
        problems.AddRange(parts.Copies.Upkeep.Problem is { } failing ? [failing] : []);
        problems.AddRange(SpaceKeeper.DiskProblem(parts.Ports.Disk) is { } filled ? [filled] : []);
        if (parts.Record.Current.Record.IsFull)
        {
            (long total, long free) = parts.Room.Space();
            problems.Add(SpaceKeeper.FullProblem(total - free, parts.Volumes.Open.Sum(volume => volume.ShownBytes)));
        }

        return problems;
    }

    private IEnumerable<NodeProblem> DroppedProblems(IHostedVolume volume)
    {
        int logs = parts.Sync.OutOfReach(volume.Log.Volume).Logs.Count;
        if (logs > 0)
        {
            yield return new NodeProblem(
                "blocks-dropped",
                $"The members that can be reached have dropped history of '{volume.Volume.Name}' that this machine "
                + $"lacks ({logs} logs): it does not see what they write.",
                "Connect a member that has it. If there is none, copy what is only on this machine out of the drive, "
                + "and join with a new home.");
        }
    }

    private IEnumerable<NodeProblem> BrakeProblems(IVolume volume)
    {
        foreach (BrakedMember held in volume.Brake?.List() ?? [])
        {
            string name = parts.View.NameOf(held.Node);
            yield return new NodeProblem(
                "braked",
                $"{(held.Node == parts.View.Self ? "This machine" : name)} removed or rewrote {held.Percent} % of "
                + $"'{volume.Name}' between {held.From} and {held.To}; "
                + "what it took away is kept until somebody decides.",
                $"`cairn brake undo {volume.Name} {name}` takes it back; "
                + $"`cairn brake release {volume.Name} {name}` if it was meant.");
        }
    }

    /// <summary>Work that was done here and that nobody sees.</summary>
    private NodeProblem? RefusedHere()
    {
        long refused = parts.Volumes.Open
            .Where(volume => IsLimitedIn(volume.Log.Volume))
            .Sum(volume => volume.RefusedOf(parts.View.Self));
        return refused > 0
            ? new NodeProblem(
                "changes-refused",
                $"Changes made here are refused, because this node may not write there: {refused}.",
                "They are kept; an admin can let them stand: `cairn node read-write` or `cairn volume writers`, with "
                + "--accept-refused.")
            : null;
    }

    private bool IsLimitedIn(VolumeId volume)
    {
        WriteRights rights = parts.View.State.EditingIn(volume);
        return !rights.MayWrite(parts.View.Self) || rights.Folders.Now(parts.View.Self).IsLimited;
    }
}
