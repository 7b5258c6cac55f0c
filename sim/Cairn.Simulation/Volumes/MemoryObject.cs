using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Volumes;

/// <summary>An object of a <see cref="MemoryVolume"/>. Its lock guards content, size, times and attributes.</summary>
internal sealed class MemoryObject(InodeNumber inode, ObjectKind kind)
{
    public Lock Gate { get; } = new();

    public InodeNumber Inode { get; } = inode;

    public ObjectKind Kind { get; } = kind;

    public uint Mode { get; set; }

    public uint UserId { get; set; }

    public uint GroupId { get; set; }

    public uint LinkCount { get; set; }

    public uint Device { get; set; }

    public WallTime Accessed { get; set; }

    public WallTime Modified { get; set; }

    public WallTime Changed { get; set; }

    /// <summary>How many handles are open: an unlinked object lives until the last is released.</summary>
    public int OpenCount { get; set; }

    /// <summary>The directory a directory lies in, for the check that a move makes no loop.</summary>
    public MemoryObject? Parent { get; set; }

    /// <summary>A regular file's bytes.</summary>
    public MemoryContent? Content { get; init; }

    /// <summary>A directory's entries.</summary>
    public MemoryDirectory? Entries { get; init; }

    /// <summary>A symbolic link's target.</summary>
    public byte[] LinkTarget { get; init; } = [];

    /// <summary>Extended attributes, in the order of their names.</summary>
    public SortedDictionary<byte[], byte[]> ExtendedAttributes { get; } =
        new(Comparer<byte[]>.Create(static (x, y) => x.AsSpan().SequenceCompareTo(y)));

    public ObjectAttributes Attributes()
    {
        lock (Gate)
        {
            return new ObjectAttributes
            {
                Inode = Inode,
                Kind = Kind,
                Mode = Mode,
                UserId = UserId,
                GroupId = GroupId,
                LinkCount = LinkCount,
                SizeBytes = Content?.SizeBytes ?? LinkTarget.Length,
                DataBytes = Content?.DataBytes ?? 0,
                Device = Device,
                Accessed = Accessed,
                Modified = Modified,
                Changed = Changed,
            };
        }
    }
}
