using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>A folder on the way from a volume's root to another one.</summary>
/// <param name="Folder">Its number.</param>
/// <param name="Name">Its name in the folder above; empty for the root.</param>
internal readonly record struct FolderOnPath(InodeNumber Folder, ReadOnlyMemory<byte> Name);
