using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage;

/// <summary>Every way this node's storage can refuse or fail.</summary>
public enum StoreErrorKind
{
    /// <summary>No such record, block or file. Asking a peer for it may help.</summary>
    NotFound,

    /// <summary>The space this node gives is used up. Helps: wait for replication, free space, or give more.</summary>
    NoSpace,

    /// <summary>The host's own disk is full, whoever filled it. Helps: free space on the host.</summary>
    DiskFull,

    /// <summary>Stored bytes fail their checksum or make no sense. Helps: another copy.</summary>
    Corrupt,

    /// <summary>The device failed. What was being written must be treated as lost; the daemon should stop writing here.</summary>
    InputOutput,

    /// <summary>The system refuses access to the home. Helps: its owner or mode.</summary>
    NotPermitted,

    /// <summary>Another daemon runs on this home. Helps: stop it.</summary>
    InUse,

    /// <summary>The home was written by a newer Cairn. Helps: upgrade this one.</summary>
    NewerFormat,

    /// <summary>A record or block is larger than the format allows. A mistake of the caller's peer.</summary>
    TooLarge,

    /// <summary>
    /// Old blocks were dropped here, and the checkpoint that was made of them is lost. Helps: a member that keeps it.
    /// </summary>
    LacksCheckpoint,
}

/// <summary>A storage failure: what, where, and what to do.</summary>
/// <param name="Kind">The closed set a caller may act on.</param>
/// <param name="Where">File, and place in it where that is known.</param>
/// <param name="Detail">What happened, for people.</param>
public readonly record struct StoreError(StoreErrorKind Kind, string Where, string Detail)
{
    /// <summary>One sentence for people: what helps.</summary>
    public string Advice => Kind switch
    {
        StoreErrorKind.NotFound => "Fetch it from another node.",
        StoreErrorKind.NoSpace => "Wait for replication, free space, or give more with `cairn space set`.",
        StoreErrorKind.DiskFull => "Free space on this machine's disk.",
        StoreErrorKind.Corrupt => "Nothing to do if other copies exist: they are used and this one is remade.",
        StoreErrorKind.InputOutput => "Check this machine's disk, then start the daemon again.",
        StoreErrorKind.NotPermitted => "Check the owner and mode of the home folder.",
        StoreErrorKind.InUse => "Stop the other daemon on this home, or use another home.",
        StoreErrorKind.NewerFormat => "Upgrade Cairn on this machine.",
        StoreErrorKind.TooLarge => "This is a defect of the sender; report it.",
        StoreErrorKind.LacksCheckpoint => "Start a member that keeps it: it is taken from there.",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>A disk's failure as the store's.</summary>
    public static StoreError From(DiskError error) => new(Translate(error.Kind), error.Path, error.Detail);

    /// <summary>What happened and where, without what helps.</summary>
    public string Sentence => $"{Where}: {Kind} ({Detail})";

    /// <inheritdoc/>
    public override string ToString() => $"{Sentence}. {Advice}";

    private static StoreErrorKind Translate(DiskErrorKind kind) => kind switch
    {
        DiskErrorKind.NotFound => StoreErrorKind.NotFound,
        DiskErrorKind.AlreadyExists => StoreErrorKind.InputOutput,
        DiskErrorKind.NoSpace => StoreErrorKind.DiskFull,
        DiskErrorKind.InputOutput => StoreErrorKind.InputOutput,
        DiskErrorKind.NotPermitted => StoreErrorKind.NotPermitted,
        DiskErrorKind.Locked => StoreErrorKind.InUse,
        DiskErrorKind.EndOfFile => StoreErrorKind.Corrupt,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

/// <summary>Damage that was found and contained: shown to the owner, never thrown away.</summary>
/// <param name="Error">What and where.</param>
/// <param name="Bytes">How many bytes could not be used.</param>
/// <param name="Record">The record that is lost here, where one can be named: repair fetches it again.</param>
public readonly record struct StoreFinding(StoreError Error, long Bytes, RecordKey? Record);
