using System.Buffers;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Checkpoints;

/// <summary>Passes bytes on and hashes them on the way.</summary>
internal sealed class HashingWriter(IBufferWriter<byte> output) : IBufferWriter<byte>
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private Memory<byte> _last;

    public void Advance(int count)
    {
        _hash.AppendData(_last.Span[..count]);
        _last = default;
        output.Advance(count);
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => _last = output.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    internal Bytes32 Finish()
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _hash.GetHashAndReset(hash);
        _hash.Dispose();
        return new Bytes32(hash);
    }
}
