namespace Cairn.Core.Tree;

/// <summary>How a version of a file came to be: derived from what it was made from, never written anywhere.</summary>
public enum VersionOrigin
{
    /// <summary>The file was made.</summary>
    Created,

    /// <summary>It was written in place.</summary>
    Edited,

    /// <summary>Another file was renamed over it, as many editors save.</summary>
    SavedByRename,

    /// <summary>It was made of several: the end of a conflict.</summary>
    Merged,

    /// <summary>It has the content of an older version.</summary>
    Restored,
}
