namespace Cairn.Node.Logs;

/// <summary>What became of a block that somebody sent.</summary>
public enum ReceiveOutcome
{
    /// <summary>Verified, stored and folded.</summary>
    Accepted,

    /// <summary>It is here already.</summary>
    Held,

    /// <summary>Blocks before it are missing: ask for them, then send it again.</summary>
    Gap,

    /// <summary>Its author signed two histories. Reported; not folded.</summary>
    Fork,

    /// <summary>It lies past its author's last accepted block: kept aside for review, not folded.</summary>
    Quarantined,

    /// <summary>No grant for its author is known yet: send it again after the pool's log has caught up.</summary>
    UnknownAuthor,

    /// <summary>The key of its epoch is not here yet: send it again when the key has come.</summary>
    NeedsKey,

    /// <summary>Not a block, of another volume, badly signed or not to be opened: the sender is at fault.</summary>
    Invalid,

    /// <summary>Written by a newer Cairn. Helps: upgrade this node.</summary>
    NewerFormat,

    /// <summary>This node's disk refused it.</summary>
    StoreFailed,
}
