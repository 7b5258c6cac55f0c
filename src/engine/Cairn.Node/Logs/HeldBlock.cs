using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>A block on its way to a peer.</summary>
/// <param name="Log">Whose log.</param>
/// <param name="Position">The block, and the last transaction in it.</param>
/// <param name="Bytes">The signed block.</param>
public readonly record struct HeldBlock(LogId Log, LogPosition Position, ReadOnlyMemory<byte> Bytes);
