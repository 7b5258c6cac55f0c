namespace Cairn.Io.Identity;

/// <summary>Why a node's key could not be had or changed.</summary>
public enum KeyErrorKind
{
    /// <summary>There is no key: the node was never made. Helps: <c>cairn init</c>, <c>cairn join</c> or <c>cairn recover</c>.</summary>
    Missing,

    /// <summary>There is a key already; a node never replaces its identity.</summary>
    Exists,

    /// <summary>The key is sealed and no passphrase was given. Helps: <c>cairn unlock</c>.</summary>
    Sealed,

    /// <summary>The key is not sealed, so there is nothing to unlock.</summary>
    NotSealed,

    /// <summary>The passphrase is not the one the key was sealed with. Retrying with another helps.</summary>
    WrongPassphrase,

    /// <summary>The file is damaged. Helps: a backup, or joining the pool as a new node.</summary>
    Damaged,

    /// <summary>A newer version of Cairn wrote the file. Helps: running that version.</summary>
    NewerFormat,

    /// <summary>The disk did not do what was asked; the detail has its words.</summary>
    Disk,
}

/// <summary>A failure with a node's key: what, and a sentence for people.</summary>
public readonly record struct KeyError(KeyErrorKind Kind, string Detail);
