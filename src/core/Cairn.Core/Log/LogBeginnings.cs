using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>Where logs begin; those that are not named begin at their first block.</summary>
/// <remarks>Immutable, sorted by log.</remarks>
public sealed class LogBeginnings : IEquatable<LogBeginnings>
{
    private readonly SortedDictionary<LogId, LogBeginning> _logs;

    private LogBeginnings(SortedDictionary<LogId, LogBeginning> logs) => _logs = logs;

    /// <summary>All logs begin at their first block.</summary>
    public static LogBeginnings None { get; } = new([]);

    /// <summary>The logs that begin later, in the order of their ids.</summary>
    public IReadOnlyCollection<KeyValuePair<LogId, LogBeginning>> Logs => _logs;

    /// <summary>Where one log begins.</summary>
    public LogBeginning this[LogId log] => _logs.GetValueOrDefault(log);

    /// <summary>From any collection without repetitions; those that begin at their first block are left out.</summary>
    public static LogBeginnings From(IEnumerable<KeyValuePair<LogId, LogBeginning>> logs)
    {
        SortedDictionary<LogId, LogBeginning> sorted = [];
        foreach ((LogId log, LogBeginning beginning) in logs)
        {
            Invariant.That(beginning.IsPossible, $"{log} cannot begin behind {beginning}");
            if (!beginning.IsFirst)
            {
                bool isNew = sorted.TryAdd(log, beginning);
                Invariant.That(isNew, $"{log} begins twice");
            }
        }

        return sorted.Count == 0 ? None : new LogBeginnings(sorted);
    }

    /// <summary>What whoever begins there need not be sent.</summary>
    public LogPositions Positions =>
        LogPositions.From(_logs.Select(log => KeyValuePair.Create(log.Key, log.Value.Position)));

    /// <summary>The beginnings of which a peer with some positions lacks blocks before them: nobody can send it those.</summary>
    public LogBeginnings Beyond(LogPositions theirs) =>
        From(_logs.Where(log => theirs[log.Key].BlockSeq < log.Value.BlockSeq));

    /// <inheritdoc/>
    public bool Equals(LogBeginnings? other) => other is not null && _logs.SequenceEqual(other._logs);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LogBeginnings);

    /// <inheritdoc/>
    public override int GetHashCode() => _logs.Count;
}
