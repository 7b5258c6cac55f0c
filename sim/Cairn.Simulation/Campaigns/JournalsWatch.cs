using Cairn.Storage.Home;
using Cairn.Storage.Journaling;

namespace Cairn.Simulation.Campaigns;

/// <summary>Looks whether journals have room: a machine whose journal is full takes no writes, however much space it has.</summary>
/// <remarks>
/// It reads the names of the segments on the disk: what the journal itself counts may be what is wrong. Thread: the simulation's.
/// </remarks>
internal sealed class JournalsWatch(IReadOnlyList<SimulatedMachine> machines, JournalOptions options)
{
    private const int NameBytes = 64;

    /// <summary>At work: a machine whose journal refuses extents; null if none does.</summary>
    public string? Full() => Look(options.SegmentsReserved);

    /// <summary>At rest: a machine of which half of the journal is in use; null if none is.</summary>
    public string? Crowded() => Look(options.SegmentsMax / 2);

    private string? Look(int freeMin)
    {
        foreach (SimulatedMachine machine in machines)
        {
            int used = Used(machine);
            if (machine.IsUp && options.SegmentsMax - used <= freeMin)
            {
                return $"{machine.Options.Name}: {used} of {options.SegmentsMax} segments are in use";
            }
        }

        return null;
    }

    /// <summary>The name of a segment that is not in use is wiped.</summary>
    private static int Used(SimulatedMachine machine)
    {
        int used = 0;
        Span<byte> name = stackalloc byte[NameBytes];
        foreach (string path in machine.Disk.Files)
        {
            if (path.StartsWith(HomeLayout.JournalFolder + "/", StringComparison.Ordinal))
            {
                machine.Disk.Peek(path, name);
                used += name.ContainsAnyExcept((byte)0) ? 1 : 0;
            }
        }

        return used;
    }
}
