using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>
/// The transactions of one log, read from the blocks held here, as far as they were sealed.
/// </summary>
/// <remarks>A block that cannot be read ends it. Thread: any; it needs no gate.</remarks>
internal static class LogHistory
{
    /// <summary>Every log up to the last transaction that is sealed now.</summary>
    public static IReadOnlyList<IEnumerable<Transaction>> Of(ReplicatedLog log) =>
        [.. log.Positions.Logs.Select(held => Read(log, held.Key, 1, held.Value.BlockSeq))];

    /// <summary>One log from block to block, read when asked for.</summary>
    public static IEnumerable<Transaction> Read(ReplicatedLog log, LogId id, ulong firstBlock, ulong lastBlock)
    {
        for (ulong seq = firstBlock; seq <= lastBlock; seq++)
        {
            if (!log.Ports.Blocks.Read(log.Volume, id, seq).TryGet(out byte[]? encoded, out _)
                || !LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out _)
                || !BlockPayload.Open(log.Keys, block).TryGet(out ImmutableArray<Transaction> run, out _))
            {
                log.Report(id, $"block {seq} cannot be read; peers are asked for it");
                yield break;
            }

            foreach (Transaction transaction in log.Quarantine.Judge(id, seq, run))
            {
                yield return transaction;
            }
        }
    }
}
