using System.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>What a door is told.</summary>
internal sealed class Told : IVolumeWatcher
{
    public List<(InodeNumber, bool)> Objects { get; } = [];

    public List<string> Entries { get; } = [];

    public void ObjectChanged(InodeNumber inode, bool contentChanged) => Objects.Add((inode, contentChanged));

    public void EntryChanged(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        Entries.Add(Encoding.UTF8.GetString(name.Span));
}
