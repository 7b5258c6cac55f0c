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

    /// <summary>How often names went that were not told one by one.</summary>
    public int NamesChanges { get; private set; }

    public void NamesChanged() => NamesChanges++;

    public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        Entries.Add((parent, Encoding.UTF8.GetString(name.Span)));
}
