using Cairn.Core.Fold;
using Cairn.Core.Log;

namespace Cairn.Node.Logs;

/// <summary>Transactions of blocks that are stored here and not folded yet: those that arrive together are folded at once.</summary>
/// <remarks>
/// What comes after an absence is late: folding it undoes and does again all that was written here meanwhile. Block by
/// block that is the product of both sides' writing, all at once it is one pass. Nothing is lost by a crash in between:
/// what is stored and not folded is folded at the next start, and peers are told only what is folded
/// (<see cref="ReplicatedLog.Word"/>).
/// A peer sends log after log, and authors that wrote in turn depend on each other: nearly all of the first log would wait in
/// memory for the second. Once that is much, nothing waits: what is stored is read again, in the order, as far as what it
/// depends on is here. Used under the log's gate.
/// </remarks>
internal sealed class PendingFold(ReplicatedLog log, ReplicatedLogOptions options)
{
    /// <summary>
    /// So many folded transactions are encoded into the table at once: as objects they would grow old until the index is written next.
    /// </summary>
    private const int SaveMin = 4096;

    private readonly List<Transaction> _transactions = [];

    /// <summary>How many came since something was folded last that are read from their blocks again.</summary>
    private int _leftOut;

    /// <summary>Whether what is stored and not folded is read from its blocks again.</summary>
    public bool ReadsAgain { get; private set; }

    /// <summary>Whether more should wait until these are folded.</summary>
    public bool IsFull => _transactions.Count + _leftOut >= options.FoldTransactionsMax;

    /// <summary>Whether there is more to be folded already than the last pass did.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Puts transactions of a stored block with the others.</summary>
    public void Add(IReadOnlyList<Transaction> transactions)
    {
        if (ReadsAgain)
        {
            _leftOut += transactions.Count;
        }
        else
        {
            _transactions.AddRange(transactions);
        }
    }

    /// <summary>Folds them, and tells what it changed.</summary>
    public void Run()
    {
        FoldReport report = ReadsAgain ? FoldStored() : log.Fold.Receive(_transactions);
        if (log.Fold.UnsavedCount >= SaveMin)
        {
            log.Fold.Save();
        }

        _transactions.Clear();
        _leftOut = 0;
        LeaveOutIfMuch();
        log.Copied.NoteBlocks();
        if (report.BelowCut.Count > 0)
        {
            // Somebody wrote before it had caught up with what was folded for good here: fold everything again.
            log.Findings.Add(new LogFinding(
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

    /// <summary>Forgets what waits for others, if that is more than memory should hold: it is read again.</summary>
    /// <returns>Whether it was.</returns>
    public bool LeaveOutIfMuch()
    {
        if (log.Fold.WaitingCount <= options.WaitingTransactionsMax)
        {
            return false;
        }

        log.Fold.ForgetWaiting();
        return ReadsAgain = true;
    }

    /// <summary>The next in the order of what is stored and not folded, as far as what it depends on is here.</summary>
    private FoldReport FoldStored()
    {
        using var logs = new LogMerge(LogHistory.Unfolded(log));
        FoldReport report = log.Fold.Receive(logs, options.FoldTransactionsMax, canWait: false);
        HasMore = report.Applied >= options.FoldTransactionsMax && report.BelowCut.Count == 0;
        ReadsAgain = HasMore || !log.IsStoredFolded;
        return report;
    }
}
