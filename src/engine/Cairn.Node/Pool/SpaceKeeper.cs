using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Storage.Home;
using Cairn.Storage.Journaling;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;

namespace Cairn.Node.Pool;

/// <summary>Keeps journal, chunks, logs and indexes together within the space the owner gives.</summary>
/// <remarks>
/// The journal's part is fixed while the node runs, logs and indexes take what they need, and the chunks get the rest: as
/// the logs grow, the cache and then the room for new copies shrink. Source: docs/decisions/space.md.
/// Thread: the engine's loop.
/// </remarks>
internal sealed class SpaceKeeper(
    ChunkStore chunks, JournalOptions journal, Func<long> othersBytes, long givenBytes)
{
    private const long DiskFreeBytesMin = 16 << 20;

    /// <summary>What the owner gives, all parts together.</summary>
    public long GivenBytes { get; private set; } = givenBytes;

    /// <summary>What this node can surely hold for the pool: what placement may count on.</summary>
    public long CapacityBytes => chunks.OwedBytesMax;

    /// <summary>The least that can be given while the journal keeps its size.</summary>
    public long GivenBytesMin => SpacePlan.SpaceBytesFor(journal, SpacePlan.ChunkBytesMin);

    /// <summary>The owner gives more or less.</summary>
    public void Give(long bytes)
    {
        Invariant.That(bytes >= GivenBytesMin, $"{bytes} bytes given beside a journal of {journal.BytesMax}");
        GivenBytes = bytes;
        Divide();
    }

    /// <summary>Why so much cannot be given: nobody has more than the disk, and a slip of the finger draws all copies here.</summary>
    public static ControlError? Refusal(IDisk disk, long bytes) =>
        disk.Space().TryGet(out DiskSpace space, out _) && bytes > space.TotalBytes
            ? new ControlError(
                ControlErrorKind.Unsuitable,
                $"The disk of the home has {SizeText.Format(space.TotalBytes)}: give at most that.")
            : null;

    /// <summary>What the owner is told of a disk that somebody else fills; null while there is room for journal, logs and index.</summary>
    public static NodeProblem? DiskProblem(IDisk disk) =>
        disk.Space().TryGet(out DiskSpace space, out _) && space.FreeBytes < DiskFreeBytesMin
            ? new NodeProblem(
                "disk-full",
                $"The disk that this node's home is on has {space.FreeBytes >> 20} MiB left; "
                + "without room nothing can be written.",
                "Free some of it, or move the home to a larger disk.")
            : null;

    /// <summary>What the owner is told when this node takes nothing more.</summary>
    /// <param name="usedBytes">What the pool holds, one copy of it.</param>
    /// <param name="shownBytes">Of that, what files have in them now; the rest is the past.</param>
    public static NodeProblem FullProblem(long usedBytes, long shownBytes)
    {
        long past = usedBytes - shownBytes;
        string some = past > usedBytes / 10
            ? $" About {SizeText.Format(past)} of the {SizeText.Format(usedBytes)} in the pool are past versions and "
                + "removed files."
            : string.Empty;
        return new NodeProblem(
            "node-full",
            "This node's space is full." + some,
            "Give more with `cairn space set`, or add a node. Past versions and removed files take space, too: while "
            + "the pool has no room they go by themselves, within minutes, as far as no snapshot and no brake holds "
            + "them and no machine is away; `cairn rule set VOLUME --keep 'last 1'` keeps fewer versions, "
            + "`cairn trash empty VOLUME` no removed files.");
    }

    /// <summary>Gives the chunks what the others leave.</summary>
    public void Divide()
    {
        long bytes = SpacePlan.ChunkBytes(GivenBytes, journal, othersBytes());
        if (bytes != chunks.Space.Allocated)
        {
            chunks.SetSpace(bytes);
        }
    }

    /// <summary>How full this node tells the pool that it is; what its owner pinned does not yield to the pool.</summary>
    public (long UsedBytes, bool IsFull) Use(bool wasFull)
    {
        StoreSpace space = chunks.Space;
        long used = Math.Min(CapacityBytes, space.Staged + space.Replicated + chunks.Pins.Bytes);
        return (used, FullHysteresis.Next(wasFull, used, CapacityBytes));
    }
}
