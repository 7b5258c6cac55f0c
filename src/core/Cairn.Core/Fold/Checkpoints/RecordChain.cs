using System.Buffers;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Checkpoints;

/// <summary>Names a run of records by a hash that can be gone on with at any record: docs/formats/checkpoint.md.</summary>
public sealed class RecordChain
{
    private readonly ArrayBufferWriter<byte> _link = new(256);

    /// <summary>Goes on behind some records.</summary>
    /// <param name="hash">What names those; zeros for none.</param>
    /// <param name="count">How many they are.</param>
    public RecordChain(Bytes32 hash = default, ulong count = 0) => (Hash, Count) = (hash, count);

    /// <summary>Names all records so far.</summary>
    public Bytes32 Hash { get; private set; }

    /// <summary>How many records there are so far.</summary>
    public ulong Count { get; private set; }

    /// <summary>The next record.</summary>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _link.ResetWrittenCount();
        var writer = new WireWriter(_link);
        writer.Bytes32(Hash);
        writer.LengthPrefixed(key);
        writer.Raw(value);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(_link.WrittenSpan, hash);
        Hash = new Bytes32(hash);
        Count++;
    }
}
