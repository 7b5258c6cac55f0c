using System.Buffers.Binary;

namespace Cairn.Core.Primitives;

/// <summary>Draws ids that nobody else has. Those drawn one after the other lie side by side.</summary>
/// <remarks>
/// What is made together is mostly read and written together. Were every byte of an id random, each object would lie in a
/// page of the index by itself: docs/decisions/near-ids.md. An id: 4 random bytes, the same for a run; 3 bytes that count,
/// big-endian; 9 random bytes. Not thread-safe.
/// </remarks>
/// <param name="fill">Where random bytes come from.</param>
public sealed class FreshIds(Action<Span<byte>> fill)
{
    private const int CounterBits = 24;
    private const ulong CounterMask = (1 << CounterBits) - 1;

    /// <summary>The run and the counter of the next id; where the counter is 0, a run begins.</summary>
    private ulong _next;

    /// <summary>The next id.</summary>
    public Bytes16 Next()
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        fill(bytes);
        if ((_next & CounterMask) == 0)
        {
            _next = (ulong)BinaryPrimitives.ReadUInt32BigEndian(bytes) << CounterBits;
        }

        BinaryPrimitives.WriteUInt64BigEndian(bytes, (_next++ << 8) | bytes[sizeof(ulong) - 1]);
        return new Bytes16(bytes);
    }
}
