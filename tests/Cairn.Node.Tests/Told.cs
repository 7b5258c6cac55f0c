using System.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests;

/// <summary>What a door is told, in order.</summary>
internal sealed class Told : IVolumeWatcher
{
    public List<(InodeNumber Inode, bool ContentChanged)> Objects { get; } = [];

    public List<(InodeNumber Parent, string Name)> Entries { get; } = [];

    /// <summary>The lengths before, of files that grew.</summary>
    public List<(InodeNumber Inode, long From)> Grown { get; } = [];

    public void ObjectChanged(InodeNumber inode, bool contentChanged, long? grownFrom = null)
    {
        Objects.Add((inode, contentChanged));
        if (grownFrom is { } from)
        {
            Grown.Add((inode, from));
        }
    }

    public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        Entries.Add((parent, Encoding.UTF8.GetString(name.Span)));
}
