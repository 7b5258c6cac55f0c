using System.Buffers;
using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>The transactions inside a block.</summary>
internal static class BlockPayload
{
    /// <summary>Opens and decodes; the failure is what became of the block.</summary>
    public static Result<ImmutableArray<Transaction>, ReceiveOutcome> Open(VolumeKeyring keys, LogBlock block)
    {
        int length = block.Payload.Length - LogCipher.Overhead;
        if (length < 0)
        {
            return ReceiveOutcome.Invalid;
        }

        byte[] rented = ArrayPool<byte>.Shared.Rent(Math.Max(1, length));
        try
        {
            Span<byte> plain = rented.AsSpan(0, length);
            Result<Unit, SealError> opened =
                LogCipher.Open(keys, block.Epoch, block.Log, block.Seq, block.Payload.Span, plain);
            if (!opened.IsOk)
            {
                return opened.Error == SealError.UnknownEpoch ? ReceiveOutcome.NeedsKey : ReceiveOutcome.Invalid;
            }

            var first = new TransactionId(block.Log, block.FirstTransaction);
            Result<ImmutableArray<Transaction>, LogError> decoded = TransactionCodec.DecodeRun(plain, first);
            if (!decoded.TryGet(out ImmutableArray<Transaction> run, out LogError error))
            {
                return error is LogError.NewerFormat or LogError.UnknownPrimitive
                    ? ReceiveOutcome.NewerFormat
                    : ReceiveOutcome.Invalid;
            }

            ulong count = block.LastTransaction - block.FirstTransaction + 1;
            return (ulong)run.Length == count ? run : ReceiveOutcome.Invalid;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }
}
