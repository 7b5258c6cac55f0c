using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Node.Replication;

/// <summary>Stored bytes of chunks that were just made here, until they are sent: they need not be read back for it.</summary>
/// <remarks>
/// A help, no queue: what does not fit is read from the store, as is what was let go of. Those that are sent first are those that
/// came first, so that what came stays, and what comes while there is no room does not. Thread: any.
/// </remarks>
internal sealed class FreshChunks
{
    /// <summary>So many bytes are kept at most.</summary>
    internal const long BytesMax = 16 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<ChunkAddress, (byte[] Buffer, int Length)> _chunks = [];

    /// <summary>The bytes that are kept now.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Keeps a chunk's bytes, or gives their buffer back if there is no room.</summary>
    /// <param name="address">Which.</param>
    /// <param name="buffer">Begins with the stored bytes. Rented from the shared pool; no longer the caller's.</param>
    /// <param name="length">How many they are.</param>
    public void Keep(ChunkAddress address, byte[] buffer, int length)
    {
        lock (_lock)
        {
            if (Bytes + length <= BytesMax && _chunks.TryAdd(address, (buffer, length)))
            {
                Bytes += length;
                return;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Copies a chunk's bytes and lets go of them.</summary>
    /// <param name="address">Which.</param>
    /// <param name="stored">As long as the chunk.</param>
    /// <returns>False if they are not here, or not so many; then nothing was written.</returns>
    public bool TryTake(ChunkAddress address, Span<byte> stored)
    {
        (byte[] Buffer, int Length) chunk;
        lock (_lock)
        {
            if (!_chunks.Remove(address, out chunk))
            {
                return false;
            }

            Bytes -= chunk.Length;
        }

        bool fits = chunk.Length == stored.Length;
        if (fits)
        {
            chunk.Buffer.AsSpan(0, chunk.Length).CopyTo(stored);
        }

        ArrayPool<byte>.Shared.Return(chunk.Buffer);
        return fits;
    }

    /// <summary>Lets go of all: nothing is made now, and whoever takes nothing shall not cost memory.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            foreach ((byte[] buffer, _) in _chunks.Values)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            _chunks.Clear();
            Bytes = 0;
        }
    }
}
