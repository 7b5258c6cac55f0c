using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Storage.Packs;

namespace Cairn.Node.Replication;

/// <summary>Stored chunks read once, on their way to several peers: the buffer goes back when the last one is done with it.</summary>
/// <remarks>Thread: the engine's loop.</remarks>
internal sealed class Parcel(ChunkAddress[] addresses, int[] lengths, byte[] buffer, int length)
{
    private byte[]? _buffer = buffer;
    private int _users = 1;

    /// <summary>Which chunks, in order.</summary>
    public ChunkAddress[] Addresses { get; } = addresses;

    /// <summary>Their lengths.</summary>
    public int[] Lengths { get; } = lengths;

    /// <summary>All their bytes together.</summary>
    public int Length { get; } = length;

    /// <summary>The chunks' bytes, one after the other.</summary>
    public ReadOnlyMemory<byte> Body
    {
        get
        {
            Invariant.That(_buffer is not null, "a parcel used after it was given back");
            return _buffer.AsMemory(ChunkStore.ReadRoom, Length);
        }
    }

    /// <summary>Takes chunks from memory or reads them from the store; null when one cannot be read, or has rotted. Blocks.</summary>
    public static Parcel? Load(ChunkStore store, FreshChunks fresh, IReadOnlyList<OwedChunk> chunks)
    {
        int length = chunks.Sum(chunk => chunk.Length);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkStore.ReadRoom + length);
        int at = 0;
        foreach (OwedChunk chunk in chunks)
        {
            Span<byte> place = buffer.AsSpan(at, ChunkStore.ReadRoom + chunk.Length);
            if (!fresh.TryTake(chunk.Address, place[ChunkStore.ReadRoom..])
                && !store.ReadToSend(RecordKey.Copy(chunk.Address), place).IsOk)
            {
                ArrayPool<byte>.Shared.Return(buffer);
                return null;
            }

            at += chunk.Length;
        }

        return new Parcel(
            [.. chunks.Select(chunk => chunk.Address)], [.. chunks.Select(chunk => chunk.Length)], buffer, length);
    }

    /// <summary>One more user.</summary>
    public Parcel Share()
    {
        _users++;
        return this;
    }

    /// <summary>One user is done.</summary>
    public void Done()
    {
        if (--_users == 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer!);
            _buffer = null;
        }
    }
}
