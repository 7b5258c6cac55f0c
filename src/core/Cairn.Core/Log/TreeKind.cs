namespace Cairn.Core.Log;

/// <summary>What an object is; the numbers are on the wire and equal those of the volume's ObjectKind.</summary>
public enum TreeKind : byte
{
    /// <summary>A regular file.</summary>
    File = 0,

    /// <summary>A directory.</summary>
    Directory = 1,

    /// <summary>A symbolic link.</summary>
    SymbolicLink = 2,

    /// <summary>A named pipe.</summary>
    Fifo = 3,

    /// <summary>A socket's name.</summary>
    Socket = 4,

    /// <summary>A character device.</summary>
    CharacterDevice = 5,

    /// <summary>A block device.</summary>
    BlockDevice = 6,
}
