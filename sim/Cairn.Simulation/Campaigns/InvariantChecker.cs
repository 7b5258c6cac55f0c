using Cairn.Core.Log;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Simulation.Time;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Journaling;
using Cairn.Storage.Packs;
using Cairn.Storage.Scrub;

namespace Cairn.Simulation.Campaigns;

/// <summary>Looks at a pool from outside and says which promise is broken.</summary>
/// <remarks>Thread: the simulation's.</remarks>
internal sealed class InvariantChecker
{
    private static readonly TimeSpan WalkMax = TimeSpan.FromHours(1);

    /// <summary>So many files a status names.</summary>
    private const int NamedMax = 10;

    private readonly List<BrokenInvariant> _broken = [];
    private readonly SimulatedScheduler _scheduler;
    private readonly IReadOnlyList<SimulatedMachine> _machines;
    private readonly CampaignOptions _options;
    private readonly Oracle _oracle;
    private readonly WorkloadCounters _counters;
    private readonly CopiesWatch _copies;
    private readonly SnapshotsWatch _snapshots;
    private readonly ClonesWatch _clones;
    private readonly JournalsWatch _journals;

    public InvariantChecker(
        SimulatedScheduler scheduler, IReadOnlyList<SimulatedMachine> machines, CampaignOptions options, Oracle oracle,
        WorkloadCounters counters)
    {
        _scheduler = scheduler;
        _machines = machines;
        _options = options;
        _oracle = oracle;
        _counters = counters;
        _copies = new CopiesWatch(machines);
        _snapshots = new SnapshotsWatch(scheduler, machines);
        _clones = new ClonesWatch(scheduler, machines, _snapshots);
        _journals = new JournalsWatch(machines, JournalOptions.ForSpace(options.SpaceBytes));
    }

    /// <summary>What is broken so far.</summary>
    public IReadOnlyList<BrokenInvariant> Broken => _broken;

    /// <summary>Conflict names in the last tree looked at.</summary>
    public int Conflicts { get; private set; }

    /// <summary>Files in that tree with parts that no machine has.</summary>
    public int Lacking { get; private set; }

    /// <summary>
    /// Whether parts of files may be nowhere: who was forgotten may have written around bytes that it did not hold, and that the others
    /// collected. What somebody wrote last is the oracle's to ask for.
    /// </summary>
    private bool MayLack => (_options.Faults & (FaultKinds.Forget | FaultKinds.Away | FaultKinds.Laptops)) != 0;

    /// <summary>Notes a broken promise.</summary>
    public void Break(string invariant, string detail)
    {
        if (_broken.Count < 50)
        {
            _broken.Add(new BrokenInvariant(invariant, detail, _scheduler.Now));
        }
    }

    /// <summary>What must hold at any moment.</summary>
    public void CheckAlways()
    {
        foreach (SimulatedFailure failure in _scheduler.Failures.Take(3))
        {
            Break("nothing throws", $"{failure.Process}, {failure.Where}: {failure.Exception}");
        }

        foreach (string damage in _counters.Damage)
        {
            Break("every byte given to a reader is what was written", damage);
        }

        foreach (SimulatedMachine machine in _machines)
        {
            long taken = machine.Disk.SpaceOf(HomeLayout.PacksFolder);
            if (taken > _options.SpaceBytes)
            {
                string excess = $"{machine.Options.Name}: packs take {taken} of {_options.SpaceBytes}";
                Break("allocated space is never exceeded", excess);
            }
        }

        if (_journals.Full() is { } full)
        {
            Break("who has space may write", full);
        }
    }

    /// <summary>What must hold of copies from one look to the next; now and then, for it costs a walk.</summary>
    /// <param name="rotted">Machines on whose disks bits turned over lately.</param>
    public void CheckCopiesKept(IEnumerable<int> rotted)
    {
        _copies.NoteRot(rotted);
        if (_copies.Look() is { } lost)
        {
            Break("what is safe does not become unsafe", lost);
        }
    }

    /// <summary>Whether a machine that has not left by its own will waits to be taken back.</summary>
    private bool IsForgotten(NodeSummary node) =>
        node.Role == "forgotten" && _machines.Any(machine => machine.Id == node.Node);

    /// <summary>Why the pool is not at rest yet; null when it is.</summary>
    public string? Unrest()
    {
        foreach (SimulatedMachine machine in _machines)
        {
            if (machine.Hosted is not { } hosted)
            {
                return $"{machine.Options.Name} does not run: {machine.StartFailure}";
            }

            NodeStatus status = machine.Status();
            IReadOnlyList<NodeSummary> nodes = machine.Nodes();
            int connected = nodes.Count(node => node.IsConnected);
            string? reason = connected < _machines.Count ? $"is connected to {connected - 1} nodes"
                : nodes.FirstOrDefault(IsForgotten) is { } lost ? $"has not taken {lost.Name} back"
                : hosted.HasUnpublishedWrites ? "has unpublished writes"
                : status.Owed.SendChunks > 0 ? $"owes {status.Owed.SendChunks} chunks"
                : status.Owed.FetchChunks > 0 ? $"lacks {status.Owed.FetchChunks} chunks"
                : machine.Pins().FirstOrDefault(IsOnItsWay) is { } pin ? $"fetches {pin.Path}, which is pinned"
                : status.Owed.SendBlocks > 0 ? $"has {status.Owed.SendBlocks} blocks that others did not confirm"
                : null;
            if (reason is not null)
            {
                return $"{machine.Options.Name} {reason}";
            }

            LogPositions first = _machines[0].Hosted!.Log.Positions;
            if (!hosted.Log.Positions.Covers(first) || !first.Covers(hosted.Log.Positions))
            {
                return $"{machine.Options.Name} holds other blocks than {_machines[0].Options.Name}";
            }
        }

        return Misplaced();
    }

    /// <summary>What must hold at rest: same trees, all bytes, nothing lost, every copy whole.</summary>
    /// <param name="rotted">Machines on whose disks bits turned over in the storm before.</param>
    public void CheckAtRest(IReadOnlySet<int> rotted)
    {
        TreeSnapshot? first = null;
        foreach (SimulatedMachine machine in _machines)
        {
            TreeSnapshot tree = Walk(machine);
            foreach (string problem in tree.Problems.Concat(tree.Lacking.Where(path => !IsLawful(path))).Take(5))
            {
                Break("every byte is readable on every node", $"{machine.Options.Name}: {problem}");
            }

            if (first is null)
            {
                first = tree;
                (Conflicts, Lacking) = (tree.Conflicts, tree.Lacking.Count);
                CheckPromises(tree);
            }
            else if (tree.Listing != first.Listing)
            {
                Break(
                    "nodes with the same operations show the same tree",
                    $"{machine.Options.Name}, {_machines[0].Options.Name}: {Difference(first.Listing, tree.Listing)}");
            }
        }

        CheckNamed(first!.Lacking);
        foreach (SimulatedMachine machine in _machines)
        {
            foreach (NodeProblem differs in machine.Status().Problems.Where(one => one.Code == "checkpoint-differs"))
            {
                Break("members make the same checkpoint of the same history", differs.Message);
            }
        }

        CheckCopies(rotted);
        if (_journals.Crowded() is { } crowded)
        {
            Break("a journal at rest is free again", crowded);
        }

        if (_snapshots.Look(MayLack) is { } wrong)
        {
            Break("a snapshot shows on every node what it showed when it was made", wrong);
        }

        if (_clones.Look(MayLack) is { } unlike)
        {
            Break("a clone shows on every node what its snapshot shows", unlike);
        }
    }

    /// <summary>Whether a file may lack a part: no machine has it in any way, and nobody wrote the whole file again and again.</summary>
    private bool IsLawful(string path) => MayLack && !path.Contains("/e", StringComparison.Ordinal)
        && ChunksOf(_machines[0], path[1..]).Any(IsNowhere);

    private bool IsNowhere(ChunkAddress address) =>
        _machines.All(machine => !machine.Stores!.Chunks.Contains(RecordKey.Copy(address)));

    /// <summary>What no machine has is named to the owner of each.</summary>
    private void CheckNamed(IReadOnlyCollection<string> lacking)
    {
        if (lacking.Count > 0)
        {
            _scheduler.RunFor(TimeSpan.FromMinutes(2));
        }

        foreach (SimulatedMachine machine in lacking.Count > 0 ? _machines : [])
        {
            string told = string.Join(' ', machine.Status().Problems.Where(one => one.Code == "damage"));
            string[] untold = [.. lacking.Where(path => !told.Contains(path, StringComparison.Ordinal))];
            if (told.Length == 0 || (untold.Length > 0 && lacking.Count < NamedMax))
            {
                Break("what is lost is named", $"{machine.Options.Name}: {string.Join(", ", untold)}: {told}");
            }
        }
    }

    /// <summary>The planted bug: every copy of one chunk goes.</summary>
    public void DropOneChunk()
    {
        RecordKey key = RecordKey.Copy(LiveChunks()[0]);
        foreach (SimulatedMachine machine in _machines)
        {
            machine.Stores!.Chunks.Remove(key);
        }
    }

    private void CheckPromises(TreeSnapshot tree)
    {
        IReadOnlyList<WrittenCell> lost = _oracle.Lost(tree.Cells);
        foreach (WrittenCell cell in lost.Take(5))
        {
            string what = $"{_oracle.Describe(cell)} is nowhere, and nobody who saw it took it away";
            Break("no promised write is lost", what);
        }

        foreach (WrittenCell cell in tree.Cells.Where(cell => !_oracle.Knows(cell)).Order(CellOrder.Instance).Take(5))
        {
            Break("nothing is made up", $"write {cell.Write}, cell {cell.Index} was never written");
        }
    }

    /// <summary>Every copy that counts is whole on the medium.</summary>
    /// <remarks>
    /// Rot that no read has met (a read opens only the parts of a chunk that it needs) waits for the scrubber, which rests for a day
    /// between two passes. Its next pass is made now, where bits turned over, and the pool must make good what it finds.
    /// </remarks>
    private void CheckCopies(IReadOnlySet<int> rotted)
    {
        if (BadCopy() is { } met && rotted.Contains(met.Machine.Number))
        {
            foreach (SimulatedMachine machine in _machines.Where(machine => rotted.Contains(machine.Number)))
            {
                new Scrubber(machine.Stores!.Chunks).Step(long.MaxValue);
            }

            TimeSpan began = _scheduler.Now;
            do
            {
                _scheduler.RunFor(TimeSpan.FromSeconds(10));
            }
            while (Unrest() is not null && _scheduler.Now - began < _options.SettleMax);
            if (Unrest() is { } unrest)
            {
                Break("what a scrub finds is made good", unrest);
            }
        }

        if (BadCopy() is { } bad)
        {
            Break("every copy that counts is whole", $"{bad.Machine.Options.Name}, {bad.What}");
        }
    }

    private (SimulatedMachine Machine, string What)? BadCopy()
    {
        foreach (SimulatedMachine machine in _machines)
        {
            ChunkStore store = machine.Stores!.Chunks;
            foreach (ChunkAddress address in LiveChunks())
            {
                RecordKey key = RecordKey.Copy(address);
                if (Counts(store, address) && !store.Verify(key).TryGet(out _, out StoreError error))
                {
                    return (machine, $"{address.Short}, needed by {NeededBy(address)}: {error}");
                }
            }
        }

        return null;
    }

    /// <summary>The first chunk that has not its copies where they belong; null if all have.</summary>
    private string? Misplaced()
    {
        int wanted = Math.Min(PlacementPolicy.CopiesDefault, _machines.Count);
        PlacementTable table = _machines[0].Node!.Placement;
        foreach (ChunkAddress address in LiveChunks())
        {
            int copies = _machines.Count(machine => Counts(machine.Stores!.Chunks, address));
            if (MayLack && IsNowhere(address))
            {
                continue;
            }

            if (copies < wanted)
            {
                string who = $"({Uses(address)}), and is needed by {NeededBy(address)}";
                return $"{address.Short} has {copies} of {wanted} copies {who}";
            }

            foreach (NodeId holder in table.Holders(PartitionId.Of(address)))
            {
                SimulatedMachine machine = _machines.First(candidate => candidate.Id == holder);
                if (!Counts(machine.Stores!.Chunks, address) && !IsFull(machine))
                {
                    return $"{address.Short} is not on {machine.Options.Name}, where it belongs";
                }
            }
        }

        return null;
    }

    private static bool IsFull(SimulatedMachine machine) =>
        machine.Status().Problems.Any(problem => problem.Code == "node-full");

    private IReadOnlyList<ChunkAddress> LiveChunks()
    {
        IHostedVolume hosted = _machines[0].Hosted!;
        Result<VolumeContents, VolumeError> contents = _scheduler.Complete(
            _machines[0].Process.Run(() => hosted.Contents(string.Empty, CancellationToken.None).AsTask()), WalkMax);
        if (!contents.TryGet(out VolumeContents? found, out VolumeError error))
        {
            Break("every byte is readable on every node", $"the chunks of the volume cannot be listed: {error}");
            return [];
        }

        return found.Chunks;
    }

    private IReadOnlyList<ChunkAddress> ChunksOf(SimulatedMachine machine, string path) => _scheduler.Complete(
        machine.Process.Run(() => machine.Hosted!.Contents(path, CancellationToken.None).AsTask()), WalkMax)
        .TryGet(out VolumeContents? contents, out _) ? contents.Chunks : [];

    private static bool IsOnItsWay(PinSummary pin) => pin.State is PinState.Fetching or PinState.Waiting;

    private static bool Counts(ChunkStore store, ChunkAddress address) =>
        store.TryGet(RecordKey.Copy(address), out StoredRecord record) && record.Use != ChunkUse.Cached;

    private string NeededBy(ChunkAddress address)
    {
        SimulatedMachine machine = _machines[0];
        TreeSnapshot tree = Walk(machine);
        IEnumerable<string> paths = tree.Listing.Split('\n').Where(line => line.Length > 0).Select(PathOf);
        string? found = paths.FirstOrDefault(path => ChunksOf(machine, path).Contains(address));
        return found ?? "no file";
    }

    private static string PathOf(string line) => line.Split(" File ")[0];

    private TreeSnapshot Walk(SimulatedMachine machine)
    {
        IVolume volume = machine.Volume!;
        return _scheduler.Complete(machine.Process.Run(() => TreeSnapshot.Of(volume)), WalkMax);
    }

    private string Uses(ChunkAddress address) => string.Join(", ", _machines.Select(machine =>
        machine.Stores!.Chunks.TryGet(RecordKey.Copy(address), out StoredRecord record) ? $"{record.Use}" : "none"));

    /// <summary>What two listings do not share, in words.</summary>
    internal static string Difference(string one, string other)
    {
        string[] left = one.Split('\n');
        string[] right = other.Split('\n');
        string[] onlyLeft = [.. left.Except(right).Take(2)];
        string[] onlyRight = [.. right.Except(left).Take(2)];
        return $"here {string.Join(" | ", onlyRight)}, there {string.Join(" | ", onlyLeft)}";
    }

    private sealed class CellOrder : IComparer<WrittenCell>
    {
        public static CellOrder Instance { get; } = new();

        public int Compare(WrittenCell x, WrittenCell y) => (x.Write, x.Index).CompareTo((y.Write, y.Index));
    }
}
