using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Io.FuseDevice;

/// <summary>
/// A piece of native memory as <see cref="Memory{T}"/>: it never moves and the collector never looks at it.
/// </summary>
internal sealed unsafe class NativeBuffer(byte* start, int length) : MemoryManager<byte>
{
    internal byte* Start => start;

    internal int Length => length;

    public override Span<byte> GetSpan() => new(start, length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        Invariant.That(elementIndex >= 0 && elementIndex <= length, $"byte {elementIndex} of {length}");
        return new MemoryHandle(start + elementIndex);
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        // The exchange owns the memory.
    }
}
