using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>The cipher of one chunk: its derived key and what its tags vouch for.</summary>
/// <remarks>Source: docs/formats/chunk.md, "Key" and "Associated data". Thread: one at a time.</remarks>
internal sealed class ChunkCipher : IDisposable
{
    private readonly SegmentCipher _segments;
    private readonly byte[] _associated = new byte[VolumeId.Size + ChunkHeader.Size];

    public ChunkCipher(VolumeId volume, EpochKey epoch, ChunkId id, in ChunkHeader header)
    {
        volume.Value.CopyTo(_associated);
        header.Write(_associated.AsSpan(VolumeId.Size));

        Span<byte> context = stackalloc byte[ChunkId.Size + 1 + ChunkHeader.SaltSize];
        id.Value.CopyTo(context);
        context[ChunkId.Size] = (byte)header.Encoding;
        header.Salt.CopyTo(context[(ChunkId.Size + 1)..]);
        Span<byte> key = stackalloc byte[KeyDerivation.KeySize];
        KeyDerivation.Derive(epoch.Bytes, "cairn/chunk/1"u8, context[..(ChunkId.Size + 1 + header.Salt.Length)], key);
        _segments = new SegmentCipher(key);
        key.Clear();
    }

    public ReadOnlySpan<byte> Header => _associated.AsSpan(VolumeId.Size);

    public void Seal(ReadOnlySpan<byte> payload, Span<byte> sealedBytes) =>
        _segments.Seal(0, _associated, payload, sealedBytes);

    public bool TryOpenRange(int payloadLength, int offset, ReadOnlySpan<byte> sealedRange, Span<byte> payload) =>
        _segments.TryOpenRange(0, _associated, payloadLength, offset, sealedRange, payload);

    public void Dispose() => _segments.Dispose();
}
