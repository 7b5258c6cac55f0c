namespace Cairn.Fuse.Session;

/// <summary>What a request changes of an inode.</summary>
internal enum ChangeKind
{
    /// <summary>Mode, owner or times, and not the length.</summary>
    Attributes,

    /// <summary>What a file holds; it is open for writing.</summary>
    Content,

    /// <summary>The length alone; the file need not be open.</summary>
    Length,
}
