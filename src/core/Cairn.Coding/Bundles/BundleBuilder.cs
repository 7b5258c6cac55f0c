using System.Buffers;
using System.Buffers.Binary;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Bundles;

/// <summary>Puts many small files into the plain bytes of one chunk.</summary>
/// <remarks>
/// A file's manifest refers to (chunk, offset, length), so reading one needs no index; the table behind the items
/// lets a background pass tell what a bundle holds. Thread: one at a time. Its buffer is pooled: dispose it.
/// Source: docs/formats/bundle.md.
/// </remarks>
public sealed class BundleBuilder : IDisposable
{
    private const int FirstCapacity = 256 * 1024;

    private readonly int _bytesMax;
    private readonly List<int> _lengths = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstCapacity);

    /// <summary>An empty bundle.</summary>
    /// <param name="bytesMax">The most plain bytes of the chunk, table included; at most 4 MiB.</param>
    public BundleBuilder(int bytesMax = ChunkRef.PlainBytesMax)
    {
        Invariant.That(bytesMax is > BundleFormat.FooterSize and <= ChunkRef.PlainBytesMax, $"a bundle of {bytesMax}");
        _bytesMax = bytesMax;
    }

    /// <summary>How many items are in it.</summary>
    public int Count => _lengths.Count;

    /// <summary>Bytes of the items so far.</summary>
    public int ItemBytes { get; private set; }

    /// <summary>Adds an item of at least one byte.</summary>
    /// <param name="item">Copied.</param>
    /// <param name="offset">Where it lies in the chunk's plain bytes.</param>
    /// <returns>False, and nothing added, when it does not fit any more.</returns>
    public bool TryAdd(ReadOnlySpan<byte> item, out int offset)
    {
        Invariant.That(!item.IsEmpty, "an empty item");
        offset = ItemBytes;
        int trailer = ((_lengths.Count + 1) * BundleFormat.LengthBytesMax) + BundleFormat.FooterSize;
        if (item.Length > _bytesMax - ItemBytes - trailer)
        {
            return false;
        }

        EnsureCapacity(ItemBytes + item.Length + trailer);
        item.CopyTo(_buffer.AsSpan(ItemBytes));
        _lengths.Add(item.Length);
        ItemBytes += item.Length;
        return true;
    }

    /// <summary>Writes the table and gives the chunk's plain bytes, valid until the next call.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        Invariant.That(_lengths.Count > 0, "an empty bundle");
        int end = ItemBytes;
        foreach (int length in _lengths)
        {
            uint rest = (uint)length;
            for (; rest >= 0x80; rest >>= 7)
            {
                _buffer[end++] = (byte)(rest | 0x80);
            }

            _buffer[end++] = (byte)rest;
        }

        Span<byte> footer = _buffer.AsSpan(end, BundleFormat.FooterSize);
        BinaryPrimitives.WriteInt32LittleEndian(footer, _lengths.Count);
        BinaryPrimitives.WriteInt32LittleEndian(footer[4..], end - ItemBytes);
        footer[8] = BundleFormat.Version;
        BundleFormat.Magic.CopyTo(footer[9..]);
        return _buffer.AsMemory(0, end + BundleFormat.FooterSize);
    }

    /// <summary>Starts the next bundle in the same buffer.</summary>
    public void Clear()
    {
        _lengths.Clear();
        ItemBytes = 0;
    }

    /// <summary>Gives the buffer back, without the plain bytes in it.</summary>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = [];
        Clear();
    }

    private void EnsureCapacity(int needed)
    {
        if (needed <= _buffer.Length)
        {
            return;
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 2 * _buffer.Length));
        _buffer.AsSpan(0, ItemBytes).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = larger;
    }
}
