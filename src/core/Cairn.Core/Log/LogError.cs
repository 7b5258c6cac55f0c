namespace Cairn.Core.Log;

/// <summary>
/// Why bytes are not a transaction or block of a log. The sender or the disk is at fault; retrying the same bytes
/// does not help.
/// </summary>
public enum LogError
{
    /// <summary>Cut short, too long, or a value the format does not allow.</summary>
    Malformed,

    /// <summary>Made by a newer version of the format. Helps: upgrade this node.</summary>
    NewerFormat,

    /// <summary>A primitive this node does not know. Helps: upgrade this node.</summary>
    UnknownPrimitive,

    /// <summary>Larger than the format allows.</summary>
    TooLarge,
}
