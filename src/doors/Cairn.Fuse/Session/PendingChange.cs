using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>An inode that a request changes, and what of it.</summary>
internal readonly record struct PendingChange(InodeNumber Node, ChangeKind Kind);
