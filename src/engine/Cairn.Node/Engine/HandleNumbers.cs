using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>Numbers for handles, never used twice by this node: docs/formats/nodeid.md. Guarded by the volume's gate.</summary>
internal sealed class HandleNumbers(IIndexStore index)
{
    private const ulong Step = 1 << 20;

    private ulong _next;
    private ulong _end;

    /// <summary>The key of the first number that no process of this node was allowed to give out yet.</summary>
    public static ReadOnlySpan<byte> Key => [IndexTable.NodesOwn, (byte)'h'];

    /// <summary>The next number.</summary>
    public Result<ulong, VolumeError> Next()
    {
        if (_next == _end && !Advance())
        {
            return VolumeError.InputOutput;
        }

        return _next++;
    }

    private bool Advance()
    {
        if (!index.Get(Key).TryGet(out byte[]? stored, out _))
        {
            return false;
        }

        ulong start = stored is { Length: 8 } ? BinaryPrimitives.ReadUInt64LittleEndian(stored) : 1;
        byte[] end = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(end, start + Step);
        if (!index.Apply([new IndexChange(Key.ToArray(), end)]).IsOk)
        {
            return false;
        }

        (_next, _end) = (start, start + Step);
        return true;
    }
}
