namespace Cairn.Core.Sync;

/// <summary>What a block is to the log it belongs to, before its signature is checked.</summary>
public enum BlockVerdict
{
    /// <summary>It is the next one: check its signature, store it, then accept it.</summary>
    Next,

    /// <summary>It is held already. Nothing to do.</summary>
    Held,

    /// <summary>Blocks before it are missing. Ask for them.</summary>
    Gap,

    /// <summary>
    /// Its author signed two histories: it contradicts a block held at its place or the one before. If its signature is
    /// good, the pair proves a fork, which is reported; the block is not folded.
    /// </summary>
    Fork,

    /// <summary>It belongs to another volume, or its transactions do not follow. The sender is at fault.</summary>
    Misplaced,
}
