using System.Collections;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>How far one log is held: the last block and the last transaction in it.</summary>
/// <param name="BlockSeq">The last block, 1 for the first; 0 for none.</param>
/// <param name="TransactionSeq">The last transaction, 1 for the first; 0 for none.</param>
public readonly record struct LogPosition(ulong BlockSeq, ulong TransactionSeq);

/// <summary>
/// How far each log is held: a cut through the history, closed under dependencies when it was taken from a fold.
/// </summary>
/// <remarks>
/// Immutable, sorted by log, kept by author: what is the same in two cuts is mostly the same object, and is passed over
/// (<see cref="AuthorPositions"/>). Format: docs/formats/log-block.md, section "Positions".
/// </remarks>
public sealed class LogPositions : IEquatable<LogPositions>
{
    /// <summary>At most so many logs in one encoded cut.</summary>
    public const int LogsMax = 1 << 20;

    private readonly AuthorPositions[] _authors;
    private LogList? _list;

    private LogPositions(AuthorPositions[] sorted) => _authors = sorted;

    /// <summary>Nothing held.</summary>
    public static LogPositions Empty { get; } = new([]);

    /// <summary>All logs with their positions, in the order of their ids.</summary>
    public IReadOnlyList<KeyValuePair<LogId, LogPosition>> Logs => _list ??= new LogList(_authors);

    /// <summary>From any collection without repetitions.</summary>
    public static LogPositions From(IEnumerable<KeyValuePair<LogId, LogPosition>> logs)
    {
        KeyValuePair<LogId, LogPosition>[] sorted = [.. logs];
        Array.Sort(sorted, static (a, b) => a.Key.CompareTo(b.Key));
        for (int i = 1; i < sorted.Length; i++)
        {
            Invariant.That(sorted[i - 1].Key != sorted[i].Key, $"log {sorted[i].Key} twice in one cut");
        }

        var authors = new List<AuthorPositions>();
        for (int from = 0; from < sorted.Length;)
        {
            int to = from + 1;
            while (to < sorted.Length && sorted[to].Key.Author == sorted[from].Key.Author)
            {
                to++;
            }

            authors.Add(new AuthorPositions(sorted[from..to]));
            from = to;
        }

        return new LogPositions([.. authors]);
    }

    /// <summary>The position of one log; zeros when nothing of it is held.</summary>
    public LogPosition this[LogId log] => Find(log.Author) is >= 0 and int at ? _authors[at].Of(log) : default;

    /// <summary>The same cut with one log's position replaced.</summary>
    public LogPositions With(LogId log, LogPosition position)
    {
        int at = Find(log.Author);
        AuthorPositions replaced = at >= 0 ? _authors[at].With(log, position) : new([new(log, position)]);
        int rest = at >= 0 ? at + 1 : ~at;
        int place = at >= 0 ? at : ~at;
        return new LogPositions([.. _authors.AsSpan(0, place), replaced, .. _authors.AsSpan(rest)]);
    }

    /// <summary>What both hold, by transactions.</summary>
    /// <remarks>Itself, if the other holds all of it: in a pool at rest nothing new is made.</remarks>
    public LogPositions Meet(LogPositions other)
    {
        if (ReferenceEquals(this, other))
        {
            return this;
        }

        List<AuthorPositions>? both = null;
        int at = 0;
        for (int i = 0; i < _authors.Length; i++)
        {
            AuthorPositions mine = _authors[i];
            AuthorPositions? lower = mine.Meet(other.Next(mine.Author, ref at));
            if (both is null && ReferenceEquals(lower, mine))
            {
                continue;
            }

            both ??= [.. _authors.AsSpan(0, i)];
            if (lower is not null)
            {
                both.Add(lower);
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

        var joined = new List<AuthorPositions>(Math.Max(_authors.Length, other._authors.Length));
        int mine = 0;
        foreach (AuthorPositions theirs in other._authors)
        {
            while (mine < _authors.Length && _authors[mine].Author < theirs.Author)
            {
                joined.Add(_authors[mine++]);
            }

            bool isBoth = mine < _authors.Length && _authors[mine].Author == theirs.Author;
            if ((isBoth ? _authors[mine++].Join(theirs) : theirs.WithBlocks()) is { } further)
            {
                joined.Add(further);
            }
        }

        return new LogPositions([.. joined, .. _authors.AsSpan(mine)]);
    }

    /// <summary>How many blocks are held here that <paramref name="other"/> does not hold.</summary>
    public long BlocksBeyond(LogPositions other)
    {
        long blocks = 0;
        int at = 0;
        foreach (AuthorPositions mine in ReferenceEquals(this, other) ? [] : _authors)
        {
            blocks += mine.BlocksBeyond(other.Next(mine.Author, ref at));
        }

        return blocks;
    }

    /// <summary>Whether a transaction is held.</summary>
    public bool Contains(TransactionId id) => id.Seq <= this[id.Log].TransactionSeq;

    /// <summary>Whether everything in <paramref name="other"/> is held here, by transactions.</summary>
    public bool Covers(LogPositions other)
    {
        int at = 0;
        foreach (AuthorPositions theirs in ReferenceEquals(this, other) ? [] : other._authors)
        {
            if (!theirs.IsCoveredBy(Next(theirs.Author, ref at)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The logs of which more blocks are held here, each with how many the other holds and how many are held here.</summary>
    public IReadOnlyList<(LogId Log, ulong Theirs, ulong Held)> Beyond(LogPositions other)
    {
        List<(LogId, ulong, ulong)>? beyond = null;
        int at = 0;
        foreach (AuthorPositions mine in ReferenceEquals(this, other) ? [] : _authors)
        {
            mine.AddBeyond(other.Next(mine.Author, ref at), ref beyond);
        }

        return beyond is null ? [] : beyond;
    }

    /// <summary>The logs that do not end at the same transaction in another cut, in order.</summary>
    public IReadOnlyCollection<LogId> DifferentFrom(LogPositions other)
    {
        if (ReferenceEquals(this, other))
        {
            return [];
        }

        SortedSet<LogId> different = [];
        AddDifferent(other, different);
        return different;
    }

    /// <summary>Adds the logs that do not end at the same transaction in another cut.</summary>
    internal void AddDifferent(LogPositions other, SortedSet<LogId> different)
    {
        int at = 0;
        foreach (AuthorPositions mine in _authors)
        {
            mine.AddDifferent(other.Next(mine.Author, ref at), different);
        }

        at = 0;
        foreach (AuthorPositions theirs in other._authors)
        {
            if (Next(theirs.Author, ref at) is null)
            {
                theirs.AddDifferent(null, different);
            }
        }
    }

    /// <summary>The same cut of some logs alone.</summary>
    internal LogPositions Only(SortedSet<LogId> logs) => From(Logs.Where(log => logs.Contains(log.Key)));

    /// <summary>The parts by author, in order.</summary>
    internal ReadOnlySpan<AuthorPositions> Authors => _authors;

    /// <summary>The logs of one author.</summary>
    internal ReadOnlySpan<KeyValuePair<LogId, LogPosition>> Of(NodeId author) =>
        Find(author) is >= 0 and int at ? _authors[at].Logs : [];

    /// <summary>From parts, each of another author, in order.</summary>
    internal static LogPositions Of(IEnumerable<AuthorPositions> sorted) => new([.. sorted]);

    /// <summary>Writes the cut.</summary>
    public void Encode(WireWriter writer)
    {
        writer.Count(_authors.Sum(static author => author.Count));
        foreach (AuthorPositions author in _authors)
        {
            writer.Raw(author.Encoded);
        }
    }

    /// <summary>Reads a cut; marks the reader as failed if it is not in canonical form.</summary>
    public static LogPositions Decode(ref WireReader reader) => Decode(ref reader, Empty, Empty);

    /// <summary>As <see cref="Decode(ref WireReader)"/>, where most of it was said before.</summary>
    /// <param name="reader">Where it stands.</param>
    /// <param name="like">What it says as this does, it takes from here.</param>
    /// <param name="orLike">Or from here.</param>
    public static LogPositions Decode(ref WireReader reader, LogPositions like, LogPositions orLike)
    {
        int count = reader.Count(NodeId.Size + 3);
        reader.Require(count <= LogsMax);
        return PositionsReader.Read(ref reader, count, like._authors, orLike._authors) is { } authors
            ? new LogPositions(authors)
            : Empty;
    }

    /// <inheritdoc/>
    public bool Equals(LogPositions? other)
    {
        if (other is null || other._authors.Length != _authors.Length)
        {
            return false;
        }

        for (int i = 0; i < _authors.Length && !ReferenceEquals(this, other); i++)
        {
            if (!_authors[i].IsSame(other._authors[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as LogPositions);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        _authors.Length == 0 ? 0 : _authors[^1].Count ^ _authors[^1].Author.GetHashCode();

    private bool HoldsBlocksOf(LogPositions other)
    {
        int at = 0;
        foreach (AuthorPositions theirs in other._authors)
        {
            AuthorPositions? mine = Next(theirs.Author, ref at);
            if (mine is null ? theirs.WithBlocks() is not null : !mine.HoldsBlocksOf(theirs))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The part of an author, when authors are asked for in order: two cuts are gone through side by side.</summary>
    private AuthorPositions? Next(NodeId author, ref int at)
    {
        for (; at < _authors.Length; at++)
        {
            int order = _authors[at].Author.CompareTo(author);
            if (order >= 0)
            {
                return order == 0 ? _authors[at++] : null;
            }
        }

        return null;
    }

    private int Find(NodeId author) => _authors.AsSpan().BinarySearch(new ByAuthor(author));

    private readonly struct ByAuthor(NodeId author) : IComparable<AuthorPositions>
    {
        public int CompareTo(AuthorPositions? other) => author.CompareTo(other!.Author);
    }

    /// <summary>The logs of all authors in one row.</summary>
    private sealed class LogList(AuthorPositions[] authors) : IReadOnlyList<KeyValuePair<LogId, LogPosition>>
    {
        public int Count { get; } = authors.Sum(static author => author.Count);

        public KeyValuePair<LogId, LogPosition> this[int index]
        {
            get
            {
                int at = 0;
                for (; index >= authors[at].Count; at++)
                {
                    index -= authors[at].Count;
                }

                return authors[at][index];
            }
        }

        public IEnumerator<KeyValuePair<LogId, LogPosition>> GetEnumerator()
        {
            foreach (AuthorPositions author in authors)
            {
                for (int i = 0; i < author.Count; i++)
                {
                    yield return author[i];
                }
            }
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
