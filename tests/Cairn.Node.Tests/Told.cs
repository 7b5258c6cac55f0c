using System.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests;

/// <summary>What a door is told, in order.</summary>
internal sealed class Told : IVolumeWatcher
{
    public List<(InodeNumber Inode, bool ContentChanged)> Objects { get; } = [];

    public List<(InodeNumber Parent, string Name)> Entries { get; } = [];

    public void ObjectChanged(InodeNumber inode, bool contentChanged) => Objects.Add((inode, contentChanged));

    public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        Entries.Add((parent, Encoding.UTF8.GetString(name.Span)));
}
