using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Storage.Packs;

namespace Cairn.Simulation.Campaigns;

/// <summary>Sees when a chunk that had enough copies has fewer again, though nobody destroyed any.</summary>
/// <remarks>
/// A machine that is down keeps its copies. Copies on machines whose medium rotted are not counted on, and a machine
/// that cannot say what its medium holds may have any (<see cref="SimulatedMachine.KnowsItsMedium"/>). A chunk counts
/// as safe when two looks in a row found all its copies: one look may see what is not synced yet.
/// Thread: the simulation's.
/// </remarks>
internal sealed class CopiesWatch(IReadOnlyList<SimulatedMachine> machines)
{
    private const int LooksMin = 2;

    private readonly SortedSet<int> _rotted = [];
    private SortedDictionary<ChunkAddress, int> _looks = [];

    /// <summary>Bits turned over on these machines' disks.</summary>
    public void NoteRot(IEnumerable<int> numbers) => _rotted.UnionWith(numbers);

    /// <summary>Looks at every chunk that a running node's tree needs.</summary>
    /// <returns>Words for the first chunk that lost a copy; null if none did.</returns>
    public string? Look()
    {
        IHostedVolume? hosted = machines.FirstOrDefault(machine => machine.Hosted is not null)?.Hosted;
        if (hosted is null)
        {
            return null;
        }

        Task<Result<VolumeContents, VolumeError>> asked =
            hosted.Contents(string.Empty, CancellationToken.None).AsTask();
        if (!asked.IsCompleted || !asked.Result.TryGet(out VolumeContents? contents, out _))
        {
            return null;
        }

        int wanted = Math.Min(PlacementPolicy.CopiesDefault, machines.Count);
        int mute = machines.Count(machine => !machine.KnowsItsMedium);
        SortedDictionary<ChunkAddress, int> looks = [];
        foreach (ChunkAddress address in contents.Chunks)
        {
            int copies = machines.Count(machine => Holds(machine, address));
            int before = _looks.GetValueOrDefault(address);
            if (before >= LooksMin && copies + mute + _rotted.Count < wanted)
            {
                return $"{address.Short} had {wanted} copies and has {copies}";
            }

            looks[address] = copies >= wanted ? before + 1 : copies + mute >= wanted ? before : 0;
        }

        _looks = looks;
        return null;
    }

    private static bool Holds(SimulatedMachine machine, ChunkAddress address) =>
        machine.KnowsItsMedium && machine.Stores is { } stores
        && stores.Chunks.TryGet(RecordKey.Copy(address), out StoredRecord record) && record.Use != ChunkUse.Cached;
}
