using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Campaigns;

/// <summary>Makes and removes snapshots, gives folders rules, and pins folders to its node.</summary>
internal sealed class Curator : Actor
{
    private const int SnapshotsMax = 5;
    private const int DirectoryCount = 4;

    private static readonly Retention?[] Retentions =
        [null, Retention.None, Retention.Forever, new Retention(AllDays: 0, DailyDays: 0, Last: 2)];

    public Curator(SimulatedMachine machine, WorkloadCounters counters, TimeSpan thinkTime, ulong seed)
        : base(machine, counters, thinkTime, seed)
    {
    }

    /// <inheritdoc/>
    protected override Task Step() => Random.Next(10) switch
    {
        < 4 => ChangeSnapshots(),
        < 7 => SetRule(),
        _ => ChangePins(),
    };

    private async Task ChangeSnapshots()
    {
        IReadOnlyList<VolumeSnapshot> all = Volume.Snapshots!.List();
        if (all.Count >= SnapshotsMax || (all.Count > 0 && Random.Chance(4)))
        {
            Count(Volume.Snapshots.Remove(all[Random.Next(all.Count)].Name));
            return;
        }

        InodeNumber folder = Random.Chance(2) ? InodeNumber.Root : await SomeFolder() ?? InodeNumber.Root;
        ReadOnlyMemory<byte> name = Bytes(FormattableString.Invariant($"n{Counters.Did("snapshots")}"));
        Count(await Volume.Snapshots.Create(folder, name, CancellationToken.None));
    }

    private async Task SetRule()
    {
        if (await SomeFolder() is { } folder)
        {
            Rule rule = new()
            {
                Keep = Retentions[Random.Next(Retentions.Length)],
                Cache = (CacheMode)Random.Next(3),
            };
            Counters.Did("rules");
            Count(Volume.Rules!.Set(folder, rule));
        }
    }

    private async Task ChangePins()
    {
        IReadOnlyList<PinSummary> pins = await Machine.Node!.Pins(CancellationToken.None);
        if (pins.Count > 0 && Random.Chance(3))
        {
            await Machine.Node.Unpin(pins[Random.Next(pins.Count)].Path, CancellationToken.None);
            return;
        }

        string path = FormattableString.Invariant($"{Volume.Name}/d{Random.Next(DirectoryCount)}");
        Result<Unit, ControlError> pinned = await Machine.Node.Pin(path, 0, CancellationToken.None);
        Counters.Count(pinned.IsOk);
        Counters.Did("pins");
    }

    private async Task<InodeNumber?> SomeFolder()
    {
        ReadOnlyMemory<byte> name = Bytes(FormattableString.Invariant($"d{Random.Next(DirectoryCount)}"));
        Result<ObjectAttributes, VolumeError> found = await Volume.Lookup(InodeNumber.Root, name);
        return found.TryGet(out ObjectAttributes folder, out _) && folder.Kind == ObjectKind.Directory
            ? folder.Inode
            : null;
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
