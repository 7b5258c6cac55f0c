using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Simulation.Time;

namespace Cairn.Simulation.Campaigns;

/// <summary>Sees when a clone is not on all machines exactly what the snapshot shows that it is a clone of.</summary>
/// <remarks>Nobody writes in clones, and the snapshots of clones stay. Thread: the simulation's.</remarks>
/// <param name="scheduler">The simulation's.</param>
/// <param name="machines">All there are.</param>
/// <param name="snapshots">What snapshots showed a moment ago.</param>
internal sealed class ClonesWatch(
    SimulatedScheduler scheduler, IReadOnlyList<SimulatedMachine> machines, SnapshotsWatch snapshots)
{
    private const int MinutesMax = 10;

    private static readonly TimeSpan WalkMax = TimeSpan.FromHours(1);

    /// <summary>Looks at every clone on every machine; what is on its way is waited for.</summary>
    /// <param name="mayLack">
    /// Whether chunks may be gone that only snapshots show: a member that was forgotten made a clone of what others collected.
    /// </param>
    /// <returns>Words for the first that is wrong; null if none is.</returns>
    public string? Look(bool mayLack)
    {
        string? wrong = WrongNow(mayLack);
        for (int minute = 0; wrong is not null && minute < MinutesMax; minute++)
        {
            scheduler.RunFor(TimeSpan.FromMinutes(1));
            wrong = WrongNow(mayLack);
        }

        return wrong;
    }

    private string? WrongNow(bool mayLack)
    {
        VolumeSummary[] clones = ClonesOn(machines[0]);
        foreach (SimulatedMachine machine in machines)
        {
            string[] here = [.. ClonesOn(machine).Select(clone => clone.Name)];
            if (!here.SequenceEqual(clones.Select(clone => clone.Name)))
            {
                return $"{machine.Options.Name} has the clones {string.Join(' ', here)}, "
                    + $"unlike {machines[0].Options.Name}";
            }

            foreach (VolumeSummary clone in clones)
            {
                if (WrongIn(clone, machine, mayLack) is { } wrong)
                {
                    return $"{machine.Options.Name}: {clone.Name}, a clone of {clone.CloneOf}: {wrong}";
                }
            }
        }

        return null;
    }

    private string? WrongIn(VolumeSummary clone, SimulatedMachine machine, bool mayLack)
    {
        Result<IVolume, ControlError> opened = scheduler.Complete(
            machine.Process.Run(() => machine.Node!.Volume(clone.Name, default).AsTask()), WalkMax);
        if (!opened.TryGet(out IVolume? volume, out ControlError error))
        {
            return error.Message;
        }

        string snapshot = clone.CloneOf!.Split('@')[1];
        (string wanted, string? problem) = Complete(machine, () => Wanted(machine, snapshot));
        TreeSnapshot seen = Complete(machine, () => TreeSnapshot.Of(volume, isAsKept: true));
        problem ??= FirstOf(seen);
        return problem is not null ? (mayLack ? null : problem)
            : seen.Listing == wanted ? null
            : InvariantChecker.Difference(wanted, seen.Listing);
    }

    /// <summary>What a snapshot shows on a machine: it was read there a moment ago, unless something was wrong then.</summary>
    private async Task<(string Listing, string? Problem)> Wanted(SimulatedMachine machine, string snapshot)
    {
        if (snapshots.ShownOn(machine, snapshot) is { } shown)
        {
            return (shown, null);
        }

        TreeSnapshot read = await TreeSnapshot.OfPast(machine.Volume!, snapshot);
        return (read.Listing, FirstOf(read));
    }

    private static string? FirstOf(TreeSnapshot tree) => tree.Problems is [string first, ..] ? first : null;

    private T Complete<T>(SimulatedMachine machine, Func<Task<T>> walk) =>
        scheduler.Complete(machine.Process.Run(walk), WalkMax);

    private VolumeSummary[] ClonesOn(SimulatedMachine machine) =>
    [
        .. scheduler.Complete(machine.Process.Run(() => machine.Node!.Volumes(default).AsTask()), WalkMax)
            .Where(volume => volume.CloneOf is not null),
    ];
}
