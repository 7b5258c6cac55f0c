using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>The logs of one author in a cut. Immutable, at least one, sorted by incarnation.</summary>
/// <remarks>
/// Cuts that say the same of an author share one of these where they can: what follows from two cuts is then worked out only
/// for those who wrote. A pool has a log for every run of a node that ended badly, and all but twenty of them stand still.
/// </remarks>
internal sealed class AuthorPositions
{
    private readonly KeyValuePair<LogId, LogPosition>[] _logs;
    private byte[]? _encoded;

    internal AuthorPositions(KeyValuePair<LogId, LogPosition>[] logs) => _logs = logs;

    internal NodeId Author => _logs[0].Key.Author;

    internal int Count => _logs.Length;

    internal KeyValuePair<LogId, LogPosition> this[int at] => _logs[at];

    /// <summary>As it stands in an encoded cut. Made once.</summary>
    internal ReadOnlySpan<byte> Encoded => _encoded ??= Encode();

    internal ReadOnlySpan<KeyValuePair<LogId, LogPosition>> Logs => _logs;

    internal LogPosition Of(LogId log) => Find(log) is >= 0 and int at ? _logs[at].Value : default;

    internal AuthorPositions With(LogId log, LogPosition position)
    {
        int at = Find(log);
        int rest = at >= 0 ? at + 1 : ~at;
        int place = at >= 0 ? at : ~at;
        var copy = new KeyValuePair<LogId, LogPosition>[place + 1 + _logs.Length - rest];
        _logs.AsSpan(0, place).CopyTo(copy);
        copy[place] = new(log, position);
        _logs.AsSpan(rest).CopyTo(copy.AsSpan(place + 1));
        return new AuthorPositions(copy);
    }

    internal bool IsSame(AuthorPositions other)
    {
        if (ReferenceEquals(this, other))
        {
            return true;
        }

        if (other._logs.Length != _logs.Length)
        {
            return false;
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

    /// <summary>What both hold, by transactions: itself if the other holds all of it, null if nothing is left.</summary>
    internal AuthorPositions? Meet(AuthorPositions? other)
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
            LogPosition theirs = Next(other, log, ref at);
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

        return both is null ? this : both.Count == 0 ? null : new AuthorPositions([.. both]);
    }

    /// <summary>The same blocks, but no more transactions than in a cut; itself if all of them are in it.</summary>
    internal AuthorPositions UpTo(LogPositions cut)
    {
        ReadOnlySpan<KeyValuePair<LogId, LogPosition>> some = cut.Of(Author);
        var lower = new KeyValuePair<LogId, LogPosition>[_logs.Length];
        bool isLower = false;
        for (int i = 0, at = 0; i < _logs.Length; i++)
        {
            (LogId log, LogPosition position) = _logs[i];
            while (at < some.Length && some[at].Key < log)
            {
                at++;
            }

            ulong last = at < some.Length && some[at].Key == log ? some[at].Value.TransactionSeq : 0;
            isLower |= last < position.TransactionSeq;
            lower[i] = new(log, position with { TransactionSeq = Math.Min(last, position.TransactionSeq) });
        }

        return isLower ? new AuthorPositions(lower) : this;
    }

    /// <summary>What one or the other holds, by blocks; one of them, if that holds all.</summary>
    internal AuthorPositions Join(AuthorPositions other)
    {
        if (HoldsBlocksOf(other))
        {
            return this;
        }

        var joined = new List<KeyValuePair<LogId, LogPosition>>(Math.Max(_logs.Length, other._logs.Length));
        int mine = 0;
        bool isOther = true;
        foreach (KeyValuePair<LogId, LogPosition> theirs in other._logs)
        {
            while (mine < _logs.Length && _logs[mine].Key < theirs.Key)
            {
                isOther = false;
                joined.Add(_logs[mine++]);
            }

            bool isBoth = mine < _logs.Length && _logs[mine].Key == theirs.Key;
            KeyValuePair<LogId, LogPosition> held = isBoth ? _logs[mine++] : new(theirs.Key, default);
            bool isFurther = held.Value.BlockSeq < theirs.Value.BlockSeq;
            isOther &= isFurther || held.Value == theirs.Value;
            if (isBoth || isFurther)
            {
                joined.Add(isFurther ? theirs : held);
            }
        }

        return isOther && mine == _logs.Length && joined.Count == other._logs.Length
            ? other
            : new AuthorPositions([.. joined, .. _logs.AsSpan(mine)]);
    }

    /// <summary>What of it says anything by blocks; null if nothing does.</summary>
    internal AuthorPositions? WithBlocks() =>
        Array.TrueForAll(_logs, static log => log.Value.BlockSeq > 0) ? this
        : Array.FindAll(_logs, static log => log.Value.BlockSeq > 0) is { Length: > 0 } some ? new AuthorPositions(some)
        : null;

    internal bool HoldsBlocksOf(AuthorPositions other)
    {
        int at = 0;
        foreach ((LogId log, LogPosition position) in ReferenceEquals(this, other) ? [] : other._logs)
        {
            if (Next(this, log, ref at).BlockSeq < position.BlockSeq)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether everything in this is in <paramref name="other"/>, by transactions.</summary>
    internal bool IsCoveredBy(AuthorPositions? other)
    {
        int at = 0;
        foreach ((LogId log, LogPosition position) in ReferenceEquals(this, other) ? [] : _logs)
        {
            if (Next(other, log, ref at).TransactionSeq < position.TransactionSeq)
            {
                return false;
            }
        }

        return true;
    }

    internal long BlocksBeyond(AuthorPositions? other)
    {
        long blocks = 0;
        int at = 0;
        foreach ((LogId log, LogPosition position) in ReferenceEquals(this, other) ? [] : _logs)
        {
            ulong theirs = Next(other, log, ref at).BlockSeq;
            blocks += position.BlockSeq > theirs ? (long)(position.BlockSeq - theirs) : 0;
        }

        return blocks;
    }

    internal void AddBeyond(AuthorPositions? other, ref List<(LogId Log, ulong Theirs, ulong Held)>? beyond)
    {
        int at = 0;
        foreach ((LogId log, LogPosition position) in ReferenceEquals(this, other) ? [] : _logs)
        {
            ulong theirs = Next(other, log, ref at).BlockSeq;
            if (theirs < position.BlockSeq)
            {
                (beyond ??= []).Add((log, theirs, position.BlockSeq));
            }
        }
    }

    /// <summary>Adds the logs that do not end at the same transaction in another cut.</summary>
    internal void AddDifferent(AuthorPositions? other, SortedSet<LogId> different)
    {
        if (ReferenceEquals(this, other))
        {
            return;
        }

        KeyValuePair<LogId, LogPosition>[] theirs = other?._logs ?? [];
        int at = 0;
        foreach ((LogId log, LogPosition mine) in _logs)
        {
            while (at < theirs.Length && theirs[at].Key < log)
            {
                different.Add(theirs[at++].Key);
            }

            if (Next(other, log, ref at).TransactionSeq != mine.TransactionSeq)
            {
                different.Add(log);
            }
        }

        foreach ((LogId log, _) in theirs.AsSpan(at))
        {
            different.Add(log);
        }
    }

    /// <summary>The position of a log, when logs are asked for in order: two cuts are gone through side by side.</summary>
    /// <param name="logs">Where.</param>
    /// <param name="log">Greater than the one asked for before, and of the same author.</param>
    /// <param name="at">0 at first; where the search is.</param>
    private static LogPosition Next(AuthorPositions? logs, LogId log, ref int at)
    {
        for (; logs is not null && at < logs._logs.Length; at++)
        {
            uint incarnation = logs._logs[at].Key.Incarnation;
            if (incarnation >= log.Incarnation)
            {
                return incarnation == log.Incarnation ? logs._logs[at++].Value : default;
            }
        }

        return default;
    }

    private int Find(LogId log) => _logs.AsSpan().BinarySearch(new ByIncarnation(log.Incarnation));

    private byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(_logs.Length * (NodeId.Size + 8));
        var writer = new WireWriter(output);
        foreach ((LogId log, LogPosition position) in _logs)
        {
            writer.Bytes32(log.Author.Value);
            writer.VarUInt(log.Incarnation);
            writer.VarUInt(position.BlockSeq);
            writer.VarUInt(position.TransactionSeq);
        }

        return output.WrittenSpan.ToArray();
    }

    private readonly struct ByIncarnation(uint incarnation) : IComparable<KeyValuePair<LogId, LogPosition>>
    {
        public int CompareTo(KeyValuePair<LogId, LogPosition> other) => incarnation.CompareTo(other.Key.Incarnation);
    }
}
