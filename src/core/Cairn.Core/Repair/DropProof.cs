using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Repair;

/// <summary>
/// How a node shows that it still has a record, without sending it: the hash of a segment it could not foresee.
/// </summary>
/// <remarks>
/// Format: docs/formats/holdings.md, "Proof". The asker holds the record and checks the answer against its own bytes.
/// It proves the segment only; a confirmation is valid because its giver also verified the whole address, after the
/// receiving fsync or in a scrub.
/// </remarks>
public static class DropProof
{
    /// <summary>Bytes of a proof.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>Bytes of a segment; the last one may be shorter.</summary>
    public const int SegmentBytes = 16 * 1024;

    /// <summary>The segment that a nonce picks.</summary>
    /// <param name="nonce">The asker's random bits.</param>
    /// <param name="storedLength">Bytes of the stored record.</param>
    /// <returns>Offset and length within the record.</returns>
    public static (int Offset, int Length) SegmentOf(Bytes16 nonce, int storedLength)
    {
        Invariant.That(storedLength > 0, $"a record of {storedLength} bytes");
        int count = ((storedLength - 1) / SegmentBytes) + 1;
        int segment = (int)(nonce.Prefix % (ulong)count);
        int offset = segment * SegmentBytes;
        return (offset, Math.Min(SegmentBytes, storedLength - offset));
    }

    /// <summary>SHA-256 over nonce, whole length and the segment's bytes.</summary>
    /// <param name="nonce">The asker's random bits.</param>
    /// <param name="storedLength">Bytes of the stored record.</param>
    /// <param name="segment">The bytes that <see cref="SegmentOf"/> names.</param>
    public static Bytes32 Compute(Bytes16 nonce, int storedLength, ReadOnlySpan<byte> segment)
    {
        Span<byte> head = stackalloc byte[Bytes16.Size + sizeof(int)];
        nonce.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head[Bytes16.Size..], storedLength);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head);
        hash.AppendData(segment);
        Span<byte> proof = stackalloc byte[Size];
        hash.GetHashAndReset(proof);
        return new Bytes32(proof);
    }
}
