using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Node.Engine.Walks;

/// <summary>A file that a walk came by.</summary>
/// <param name="Id">What the name shows.</param>
/// <param name="Head">Its present version.</param>
/// <param name="Folder">Where the name is; nothing for the top of the walk.</param>
/// <param name="Name">As it is shown; empty for the top of the walk.</param>
internal readonly record struct WalkedFile(ObjectId Id, HeadView Head, ObjectId Folder, ReadOnlyMemory<byte> Name);
