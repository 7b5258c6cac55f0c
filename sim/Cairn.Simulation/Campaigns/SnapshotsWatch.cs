using Cairn.Node.Volumes;
using Cairn.Simulation.Time;

namespace Cairn.Simulation.Campaigns;

/// <summary>Sees when a snapshot is not the same on all machines, or not what it was at the last rest.</summary>
/// <remarks>Thread: the simulation's.</remarks>
internal sealed class SnapshotsWatch(SimulatedScheduler scheduler, IReadOnlyList<SimulatedMachine> machines)
{
    private static readonly TimeSpan WalkMax = TimeSpan.FromHours(1);

    private readonly SortedDictionary<string, string> _shown = new(StringComparer.Ordinal);
    private readonly HashSet<(int Machine, string Name)> _read = [];

    /// <summary>Looks at every snapshot on every machine.</summary>
    /// <param name="mayLack">
    /// Whether chunks may be gone that only snapshots show: a member that was forgotten made one of what others collected.
    /// </param>
    /// <returns>Words for the first that is wrong; null if none is.</returns>
    public string? Look(bool mayLack)
    {
        string[] names = NamesOn(machines[0]);
        _read.Clear();
        foreach (SimulatedMachine machine in machines)
        {
            string[] here = NamesOn(machine);
            if (!here.SequenceEqual(names))
            {
                return $"{machine.Options.Name} has {string.Join(' ', here)}, not {string.Join(' ', names)}";
            }

            foreach (string name in names)
            {
                IVolume volume = machine.Volume!;
                TreeSnapshot seen =
                    scheduler.Complete(machine.Process.Run(() => TreeSnapshot.OfPast(volume, name)), WalkMax);
                string? wrong = WrongIn(name, seen, mayLack);
                if (seen.Problems.Count == 0)
                {
                    _read.Add((machine.Number, name));
                }

                if (wrong is not null)
                {
                    return $"{machine.Options.Name}: {name}: {wrong}";
                }
            }
        }

        return null;
    }

    /// <summary>What a snapshot showed on a machine at this rest; null if it was not read whole there.</summary>
    public string? ShownOn(SimulatedMachine machine, string name) =>
        _read.Contains((machine.Number, name)) ? _shown[name] : null;

    private static string[] NamesOn(SimulatedMachine machine) =>
        [.. machine.Volume!.Snapshots!.List().Select(snapshot => snapshot.Name).Order(StringComparer.Ordinal)];

    private string? WrongIn(string name, TreeSnapshot seen, bool mayLack)
    {
        if (seen.Problems.Count > 0)
        {
            return mayLack ? null : seen.Problems[0];
        }

        if (_shown.TryGetValue(name, out string? before) && before != seen.Listing)
        {
            return InvariantChecker.Difference(before, seen.Listing);
        }

        _shown[name] = seen.Listing;
        return null;
    }
}
