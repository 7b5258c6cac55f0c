using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Campaigns;

/// <summary>Makes and removes snapshots and clones of them, gives folders rules, and pins folders to its node.</summary>
internal sealed class Curator : Actor
{
    private const int SnapshotsMax = 5;
    private const int ClonesMax = 2;
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
        < 6 => SetRule(),
        < 8 => ChangePins(),
        _ => ChangeClones(),
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

    private async Task ChangeClones()
    {
        string[] clones =
        [
            .. (await Machine.Node!.Volumes(CancellationToken.None))
                .Where(volume => volume.CloneOf is not null).Select(volume => volume.Name),
        ];
        if (clones.Length >= ClonesMax || (clones.Length > 0 && Random.Chance(4)))
        {
            string gone = clones[Random.Next(clones.Length)];
            Counters.Count((await Machine.Node.RemoveVolume(gone, CancellationToken.None)).IsOk);
            return;
        }

        // Of the whole volume: of a folder's, links from outside would not be counted.
        VolumeSnapshot[] whole = [.. Volume.Snapshots!.List().Where(snapshot => snapshot.Folder.Length == 0)];
        if (whole.Length > 0)
        {
            string name = FormattableString.Invariant($"c{Counters.Did("clones")}");
            Result<VolumeSummary, ControlError> made = await Machine.Node.CloneSnapshot(
                Volume.Name, whole[Random.Next(whole.Length)].Name, name, CancellationToken.None);
            Counters.Count(made.IsOk);
        }
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
