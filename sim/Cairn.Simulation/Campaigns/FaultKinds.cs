namespace Cairn.Simulation.Campaigns;

/// <summary>What may go wrong in a campaign. Each is on by default and can be switched.</summary>
[Flags]
public enum FaultKinds
{
    /// <summary>Nothing goes wrong.</summary>
    None = 0,

    /// <summary>Datagrams are lost, frames of streams retransmitted.</summary>
    Loss = 1,

    /// <summary>Everything takes long, and not always as long.</summary>
    Delay = 2,

    /// <summary>Datagrams overtake each other by much.</summary>
    Reorder = 4,

    /// <summary>Datagrams arrive twice.</summary>
    Duplication = 8,

    /// <summary>The pool is split in two.</summary>
    Partition = 16,

    /// <summary>One node does not hear another, which hears it.</summary>
    OneWay = 32,

    /// <summary>kill -9, and a start later.</summary>
    Crash = 64,

    /// <summary>Power loss: what was not synced is lost or torn.</summary>
    Torn = 128,

    /// <summary>A bit turns over in a pack, a log or the journal.</summary>
    BitRot = 256,

    /// <summary>Somebody else fills the host's disk for a while.</summary>
    FullDisk = 512,

    /// <summary>A wall clock jumps by years.</summary>
    Clock = 1024,

    /// <summary>A machine that is away is forgotten by an admin's, until it is back.</summary>
    Forget = 2048,

    /// <summary>Power loss in the middle of a round of garbage collection.</summary>
    Collect = 4096,

    /// <summary>A machine is off for longer than the horizon: the others forget it by themselves.</summary>
    Away = 8192,

    /// <summary>With a process that dies the indexes of its volumes are lost.</summary>
    LostIndex = 16384,

    /// <summary>With a process that dies the indexes of its volumes and all checkpoints it keeps are lost.</summary>
    LostCheckpoints = 32768,

    /// <summary>
    /// Everything, but for <see cref="Replace"/> and <see cref="Laptops"/>, with which it is another pool, and
    /// <see cref="Restarts"/>, with which it is another day.
    /// </summary>
    All = 65535,

    /// <summary>After a storm a machine leaves by its own will, and a new one joins.</summary>
    Replace = 65536,

    /// <summary>
    /// Machines from the third on are no admins, and some of them are cut off from all others for longer than the horizon, alone or
    /// two together, and work on.
    /// </summary>
    Laptops = 131072,

    /// <summary>One machine dies by kill -9 in the middle of what it writes, many times, each time soon after it was started.</summary>
    Restarts = 262144,
}

/// <summary>The words for faults on the command line and in reports.</summary>
public static class FaultWords
{
    private static readonly (FaultKinds Kind, string Word)[] Table =
    [
        (FaultKinds.Loss, "loss"), (FaultKinds.Delay, "delay"), (FaultKinds.Reorder, "reorder"),
        (FaultKinds.Duplication, "duplication"), (FaultKinds.Partition, "partition"), (FaultKinds.OneWay, "one-way"),
        (FaultKinds.Crash, "crash"), (FaultKinds.Torn, "torn"), (FaultKinds.BitRot, "bitrot"),
        (FaultKinds.FullDisk, "full-disk"), (FaultKinds.Clock, "clock"), (FaultKinds.Forget, "forget"),
        (FaultKinds.Collect, "collect"), (FaultKinds.Away, "away"), (FaultKinds.LostIndex, "lost-index"),
        (FaultKinds.LostCheckpoints, "lost-checkpoints"), (FaultKinds.Replace, "replace"),
        (FaultKinds.Laptops, "laptops"), (FaultKinds.Restarts, "restarts"),
    ];

    /// <summary>Every word, in the order of reports.</summary>
    public static IReadOnlyList<string> All => [.. Table.Select(row => row.Word)];

    /// <summary>Every kind, in the order of reports.</summary>
    public static IReadOnlyList<FaultKinds> Kinds => [.. Table.Select(row => row.Kind)];

    /// <summary>The word for one kind.</summary>
    public static string Of(FaultKinds kind) => Table.First(row => row.Kind == kind).Word;

    /// <summary>Words separated by commas; "none" when nothing goes wrong.</summary>
    public static string List(FaultKinds kinds) => kinds == FaultKinds.None
        ? "none"
        : string.Join(',', Table.Where(row => kinds.HasFlag(row.Kind)).Select(row => row.Word));

    /// <summary>Reads words separated by commas; "all" and "none" are words, too.</summary>
    /// <returns>False, with the word that is none, if one is unknown.</returns>
    public static bool TryParse(string text, out FaultKinds kinds, out string unknown)
    {
        kinds = FaultKinds.None;
        unknown = string.Empty;
        foreach (string word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            FaultKinds kind = Table.FirstOrDefault(row => row.Word == word).Kind;
            kind = word == "all" ? FaultKinds.All : kind;
            if (kind == FaultKinds.None && word != "none")
            {
                unknown = word;
                return false;
            }

            kinds |= kind;
        }

        return true;
    }
}
