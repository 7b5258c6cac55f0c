using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>A block's transactions and its place.</summary>
/// <param name="Log">Whose log.</param>
/// <param name="Position">The block, and its last transaction.</param>
/// <param name="Transactions">In order.</param>
public sealed record OpenedBlock(LogId Log, LogPosition Position, ImmutableArray<Transaction> Transactions);

/// <summary>Reads blocks of several logs in an order in which nothing comes before what its author had seen.</summary>
/// <remarks>
/// From cut to cut: every block is taken whole, and only when all that its transactions depend on is behind the cut or was
/// taken before. So whoever goes on from <see cref="Position"/> misses nothing.
/// </remarks>
public sealed class CausalReader(LogPositions from)
{
    /// <summary>The cut that was read.</summary>
    public LogPositions Position { get; private set; } = from;

    /// <summary>Takes what can be taken, in order; what depends on something that is not there stays for a later call.</summary>
    /// <param name="blocks">Blocks behind the cut, in order per log.</param>
    public IReadOnlyList<OpenedBlock> Take(IReadOnlyList<OpenedBlock> blocks)
    {
        List<OpenedBlock> waiting = [.. blocks.Where(block => block.Position.BlockSeq > Position[block.Log].BlockSeq)];
        List<OpenedBlock> taken = [];
        for (bool isProgress = true; isProgress;)
        {
            isProgress = false;
            List<OpenedBlock> left = [];
            foreach (OpenedBlock block in waiting)
            {
                if (IsNext(block))
                {
                    Position = Position.With(block.Log, block.Position);
                    taken.Add(block);
                    isProgress = true;
                }
                else
                {
                    left.Add(block);
                }
            }

            waiting = left;
        }

        return taken;
    }

    private bool IsNext(OpenedBlock block) =>
        block.Position.BlockSeq == Position[block.Log].BlockSeq + 1
        && block.Transactions.All(transaction => transaction.Dependencies.All(
            needed => Position.Contains(needed) || needed.Log == block.Log));
}
