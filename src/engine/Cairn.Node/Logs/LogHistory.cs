using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>
/// The transactions of one log from its first on, read from the blocks held here, as far as they were sealed.
/// </summary>
/// <remarks>A block that cannot be read ends it. Thread: any; it takes no gate.</remarks>
internal static class LogHistory
{
    /// <summary>Every log up to the last transaction that is sealed now.</summary>
    public static IReadOnlyList<IEnumerable<Transaction>> Of(ReplicatedLog log) =>
        [.. log.Positions.Logs.Select(held => Read(log, held.Key, held.Value.BlockSeq))];

    private static IEnumerable<Transaction> Read(ReplicatedLog log, LogId id, ulong lastBlock)
    {
        for (ulong seq = 1; seq <= lastBlock; seq++)
        {
            if (!log.Ports.Blocks.Read(log.Volume, id, seq).TryGet(out byte[]? encoded, out _)
                || !LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out _)
                || !BlockPayload.Open(log.Keys, block).TryGet(out ImmutableArray<Transaction> run, out _))
            {
                log.Report(id, $"block {seq} cannot be read for a look back; peers are asked for it");
                yield break;
            }

            foreach (Transaction transaction in log.Quarantine.Judge(id, seq, run))
            {
                yield return transaction;
            }
        }
    }
}
