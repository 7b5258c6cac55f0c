using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>How far one log is held: the last block and the last transaction in it.</summary>
/// <param name="BlockSeq">The last block, 1 for the first; 0 for none.</param>
/// <param name="TransactionSeq">The last transaction, 1 for the first; 0 for none.</param>
public readonly record struct LogPosition(ulong BlockSeq, ulong TransactionSeq);

/// <summary>
/// How far each log is held: a cut through the history, closed under dependencies when it was taken from a fold.
/// </summary>
/// <remarks>Immutable, sorted by log. Format: docs/formats/log-block.md, section "Positions".</remarks>
public sealed class LogPositions : IEquatable<LogPositions>
{
    /// <summary>At most so many logs in one encoded cut.</summary>
    public const int LogsMax = 1 << 20;

    private readonly KeyValuePair<LogId, LogPosition>[] _logs;

    private LogPositions(KeyValuePair<LogId, LogPosition>[] sorted) => _logs = sorted;

    /// <summary>Nothing held.</summary>
    public static LogPositions Empty { get; } = new([]);

    /// <summary>All logs with their positions, in the order of their ids.</summary>
    public IReadOnlyList<KeyValuePair<LogId, LogPosition>> Logs => _logs;

    /// <summary>From any collection without repetitions.</summary>
    public static LogPositions From(IEnumerable<KeyValuePair<LogId, LogPosition>> logs)
    {
        KeyValuePair<LogId, LogPosition>[] sorted = [.. logs];
        Array.Sort(sorted, static (a, b) => a.Key.CompareTo(b.Key));
        for (int i = 1; i < sorted.Length; i++)
        {
            Invariant.That(sorted[i - 1].Key != sorted[i].Key, $"log {sorted[i].Key} twice in one cut");
        }

        return new LogPositions(sorted);
    }

    /// <summary>The position of one log; zeros when nothing of it is held.</summary>
    public LogPosition this[LogId log] => Find(log) is >= 0 and int at ? _logs[at].Value : default;

    /// <summary>The same cut with one log's position replaced.</summary>
    public LogPositions With(LogId log, LogPosition position)
    {
        int at = Find(log);
        int rest = at >= 0 ? at + 1 : ~at;
        int place = at >= 0 ? at : ~at;
        var copy = new KeyValuePair<LogId, LogPosition>[place + 1 + _logs.Length - rest];
        _logs.AsSpan(0, place).CopyTo(copy);
        copy[place] = new(log, position);
        _logs.AsSpan(rest).CopyTo(copy.AsSpan(place + 1));
        return new LogPositions(copy);
    }

    /// <summary>What both hold, by transactions.</summary>
    /// <remarks>Itself, if the other holds all of it: in a pool at rest nothing new is made.</remarks>
    public LogPositions Meet(LogPositions other)
    {
        if (ReferenceEquals(this, other))
        {
            return this;
        }

        List<KeyValuePair<LogId, LogPosition>>? both = null;
        int at = 0;
        for (int i = 0; i < _logs.Length; i++)
        {
            (LogId log, LogPosition mine) = _logs[i];
            LogPosition theirs = other.Next(log, ref at);
            LogPosition lower = theirs.TransactionSeq < mine.TransactionSeq ? theirs : mine;
            if (both is null && lower == mine && mine != default)
            {
                continue;
            }

            both ??= [.. _logs.AsSpan(0, i)];
            if (lower != default)
            {
                both.Add(new(log, lower));
            }
        }

        return both is null ? this : new LogPositions([.. both]);
    }

    /// <summary>What one or the other holds, by blocks.</summary>
    public LogPositions Join(LogPositions other)
    {
        if (ReferenceEquals(this, other) || HoldsBlocksOf(other))
        {
            return this;
        }

        var joined = new List<KeyValuePair<LogId, LogPosition>>(Math.Max(_logs.Length, other._logs.Length));
        int mine = 0;
        foreach (KeyValuePair<LogId, LogPosition> theirs in other._logs)
        {
            while (mine < _logs.Length && _logs[mine].Key < theirs.Key)
            {
                joined.Add(_logs[mine++]);
            }

            bool isBoth = mine < _logs.Length && _logs[mine].Key == theirs.Key;
            KeyValuePair<LogId, LogPosition> held = isBoth ? _logs[mine++] : new(theirs.Key, default);
            bool isFurther = held.Value.BlockSeq < theirs.Value.BlockSeq;
            if (isBoth || isFurther)
            {
                joined.Add(isFurther ? theirs : held);
            }
        }

        return new LogPositions([.. joined, .. _logs.AsSpan(mine)]);
    }

    /// <summary>How many blocks are held here that <paramref name="other"/> does not hold.</summary>
    public long BlocksBeyond(LogPositions other)
    {
        long blocks = 0;
        int at = 0;
        foreach ((LogId log, LogPosition position) in ReferenceEquals(this, other) ? [] : _logs)
        {
            ulong theirs = other.Next(log, ref at).BlockSeq;
            blocks += position.BlockSeq > theirs ? (long)(position.BlockSeq - theirs) : 0;
        }

        return blocks;
    }

    /// <summary>Whether a transaction is held.</summary>
    public bool Contains(TransactionId id) => id.Seq <= this[id.Log].TransactionSeq;

    /// <summary>Whether everything in <paramref name="other"/> is held here, by transactions.</summary>
    public bool Covers(LogPositions other)
    {
        int at = 0;
        foreach ((LogId log, LogPosition position) in ReferenceEquals(this, other) ? [] : other._logs)
        {
            if (Next(log, ref at).TransactionSeq < position.TransactionSeq)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The logs of which more blocks are held here, each with how many the other holds and how many are held here.</summary>
    public IReadOnlyList<(LogId Log, ulong Theirs, ulong Held)> Beyond(LogPositions other)
    {
        if (ReferenceEquals(this, other))
        {
            return [];
        }

        List<(LogId, ulong, ulong)>? beyond = null;
        int at = 0;
        foreach ((LogId log, LogPosition position) in _logs)
        {
            ulong theirs = other.Next(log, ref at).BlockSeq;
            if (theirs < position.BlockSeq)
            {
                (beyond ??= []).Add((log, theirs, position.BlockSeq));
            }
        }

        return beyond is null ? [] : beyond;
    }

    /// <summary>Adds the logs that do not end at the same transaction in another cut.</summary>
    internal void AddDifferent(LogPositions other, SortedSet<LogId> different)
    {
        int at = 0;
        foreach ((LogId log, LogPosition mine) in _logs)
        {
            while (at < other._logs.Length && other._logs[at].Key < log)
            {
                different.Add(other._logs[at++].Key);
            }

            if (other.Next(log, ref at).TransactionSeq != mine.TransactionSeq)
            {
                different.Add(log);
            }
        }

        foreach ((LogId log, _) in other._logs.AsSpan(at))
        {
            different.Add(log);
        }
    }

    /// <summary>The same cut of some logs alone.</summary>
    internal LogPositions Only(SortedSet<LogId> logs) => new([.. _logs.Where(log => logs.Contains(log.Key))]);

    /// <summary>Writes the cut.</summary>
    public void Encode(WireWriter writer)
    {
        writer.Count(_logs.Length);
        foreach ((LogId log, LogPosition position) in _logs)
        {
            writer.Bytes32(log.Author.Value);
            writer.VarUInt(log.Incarnation);
            writer.VarUInt(position.BlockSeq);
            writer.VarUInt(position.TransactionSeq);
        }
    }

    /// <summary>Reads a cut; marks the reader as failed if it is not in canonical form.</summary>
    public static LogPositions Decode(ref WireReader reader)
    {
        int count = reader.Count(NodeId.Size + 3);
        reader.Require(count <= LogsMax);
        var logs = new KeyValuePair<LogId, LogPosition>[reader.Failed ? 0 : count];
        for (int i = 0; i < logs.Length && !reader.Failed; i++)
        {
            var author = new NodeId(reader.Bytes32());
            ulong incarnation = reader.VarUInt();
            reader.Require(incarnation <= uint.MaxValue);
            var log = new LogId(author, (uint)incarnation);
            reader.Require(i == 0 || logs[i - 1].Key < log);
            logs[i] = new(log, new LogPosition(reader.VarUInt(), reader.VarUInt()));
        }

        return reader.Failed ? Empty : new LogPositions(logs);
    }

    /// <inheritdoc/>
    public bool Equals(LogPositions? other)
    {
        if (other is null || other._logs.Length != _logs.Length)
        {
            return false;
        }

        if (ReferenceEquals(this, other))
        {
            return true;
        }

        // Pair by pair: a KeyValuePair compares its fields by reflection.
        for (int i = 0; i < _logs.Length; i++)
        {
            if (_logs[i].Key != other._logs[i].Key || _logs[i].Value != other._logs[i].Value)
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LogPositions);

    /// <inheritdoc/>
    public override int GetHashCode() => _logs.Length == 0 ? 0 : _logs.Length ^ _logs[^1].Key.Author.GetHashCode();

    private bool HoldsBlocksOf(LogPositions other)
    {
        int at = 0;
        foreach ((LogId log, LogPosition position) in other._logs)
        {
            if (Next(log, ref at).BlockSeq < position.BlockSeq)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The position of a log, when logs are asked for in order: two cuts are gone through side by side.</summary>
    /// <param name="log">Greater than the one asked for before.</param>
    /// <param name="at">0 at first; where the search is.</param>
    private LogPosition Next(LogId log, ref int at)
    {
        while (at < _logs.Length)
        {
            int order = _logs[at].Key.CompareTo(log);
            if (order >= 0)
            {
                return order == 0 ? _logs[at++].Value : default;
            }

            at++;
        }

        return default;
    }

    private int Find(LogId log)
    {
        int low = 0;
        int high = _logs.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = _logs[middle].Key.CompareTo(log);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }
}
