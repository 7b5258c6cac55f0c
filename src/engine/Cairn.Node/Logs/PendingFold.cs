using Cairn.Core.Fold;
using Cairn.Core.Log;

namespace Cairn.Node.Logs;

/// <summary>Transactions of blocks that are stored here and not folded yet: those that arrive together are folded at once.</summary>
/// <remarks>
/// What comes after an absence is late: folding it undoes and does again all that was written here meanwhile. Block by
/// block that is the product of both sides' writing, all at once it is one pass. Nothing is lost by a crash in between:
/// what is stored and not folded is folded at the next start, and peers are told only what is folded
/// (<see cref="ReplicatedLog.Word"/>). Used under the log's gate.
/// </remarks>
internal sealed class PendingFold(ReplicatedLog log)
{
    /// <summary>One pass holds the gate for a fraction of a second.</summary>
    private const int TransactionsMax = 8192;

    private readonly List<Transaction> _transactions = [];

    /// <summary>Whether more should wait until these are folded.</summary>
    public bool IsFull => _transactions.Count >= TransactionsMax;

    /// <summary>Puts transactions of a stored block with the others.</summary>
    public void Add(IReadOnlyList<Transaction> transactions) => _transactions.AddRange(transactions);

    /// <summary>Folds them, and tells what it changed.</summary>
    public void Run()
    {
        FoldReport report = log.Fold.Receive(_transactions);
        _transactions.Clear();
        log.Copied.NoteBlocks();
        if (report.BelowCut.Count > 0)
        {
            // Somebody wrote before it had caught up with what was folded for good here: fold everything again.
            log.Add(new LogFinding(
                log.Volume, report.BelowCut[0].Log, $"{report.BelowCut[0]} came late; folded all again"));
        }

        if (report.BelowCut.Count > 0 || log.Repair.IsDue)
        {
            log.Repair.Run();
        }
        else
        {
            log.Tell(report.ChangedKeys);
        }
    }
}
