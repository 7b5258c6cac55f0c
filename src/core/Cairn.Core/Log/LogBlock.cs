using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>
/// The signed unit of a log: a run of consecutive transactions, encrypted, chained by hash to the block before.
/// </summary>
/// <remarks>
/// Format: docs/formats/log-block.md. The signature covers everything before it; the hash covers the same bytes.
/// </remarks>
/// <param name="Volume">Whose history this is part of.</param>
/// <param name="Log">Whose log, which incarnation.</param>
/// <param name="Seq">1 for the first block of the incarnation; no gaps.</param>
/// <param name="FirstTransaction">The first transaction's seq.</param>
/// <param name="LastTransaction">The last transaction's seq, not below the first.</param>
/// <param name="Previous">The hash of the block before; zeros for the first.</param>
/// <param name="Epoch">Which key the payload is sealed with.</param>
/// <param name="Payload">The sealed run of transactions.</param>
/// <param name="Signature">ECDSA P-256 over SHA-256, IEEE P1363, 64 bytes; empty before signing.</param>
public sealed record LogBlock(
    VolumeId Volume, LogId Log, ulong Seq, ulong FirstTransaction, ulong LastTransaction, BlockHash Previous,
    EpochId Epoch, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Signature)
{
    /// <summary>Length of a signature.</summary>
    public const int SignatureSize = 64;

    /// <summary>The longest encoded block.</summary>
    public const int EncodedBytesMax = 1 << 20;
}
