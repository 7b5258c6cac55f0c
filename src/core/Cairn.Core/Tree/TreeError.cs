namespace Cairn.Core.Tree;

/// <summary>
/// Why an intent cannot be carried out on the tree as it is. The members mean what their POSIX namesakes mean.
/// </summary>
public enum TreeError
{
    /// <summary>No such entry or object.</summary>
    NotFound,

    /// <summary>The name is taken.</summary>
    AlreadyExists,

    /// <summary>A directory was needed.</summary>
    NotADirectory,

    /// <summary>Something other than a directory was needed.</summary>
    IsADirectory,

    /// <summary>The directory is not empty.</summary>
    NotEmpty,

    /// <summary>The name is empty, ".", "..", or has a '/' or NUL.</summary>
    InvalidName,

    /// <summary>The name is over 255 bytes.</summary>
    NameTooLong,

    /// <summary>The move would put a directory below itself.</summary>
    WouldLoop,

    /// <summary>The object has as many entries as it can.</summary>
    TooManyLinks,

    /// <summary>The object cannot be used this way (a hard link to a directory or to a conflict).</summary>
    NotPermitted,

    /// <summary>The extended attribute does not exist.</summary>
    NoAttribute,

    /// <summary>An argument makes no sense.</summary>
    InvalidArgument,
}
