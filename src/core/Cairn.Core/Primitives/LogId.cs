namespace Cairn.Core.Primitives;

/// <summary>One member's log in one volume: a new incarnation is opened after every unclean start.</summary>
/// <param name="Author">Whose log it is.</param>
/// <param name="Incarnation">From 1; a higher one is drawn each time a tail may have been lost.</param>
public readonly record struct LogId(NodeId Author, uint Incarnation) : IComparable<LogId>
{
    /// <inheritdoc/>
    public int CompareTo(LogId other)
    {
        int order = Author.CompareTo(other.Author);
        return order != 0 ? order : Incarnation.CompareTo(other.Incarnation);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Author.Short}/{Incarnation}";

    /// <summary>Before.</summary>
    public static bool operator <(LogId left, LogId right) => left.CompareTo(right) < 0;

    /// <summary>After.</summary>
    public static bool operator >(LogId left, LogId right) => left.CompareTo(right) > 0;

    /// <summary>Before or equal.</summary>
    public static bool operator <=(LogId left, LogId right) => left.CompareTo(right) <= 0;

    /// <summary>After or equal.</summary>
    public static bool operator >=(LogId left, LogId right) => left.CompareTo(right) >= 0;
}

/// <summary>The place of a transaction in its author's log: the identity of the transaction.</summary>
/// <param name="Log">Whose log, which incarnation.</param>
/// <param name="Seq">1 for the first transaction of the incarnation; no gaps.</param>
public readonly record struct TransactionId(LogId Log, ulong Seq) : IComparable<TransactionId>
{
    /// <inheritdoc/>
    public int CompareTo(TransactionId other)
    {
        int order = Log.CompareTo(other.Log);
        return order != 0 ? order : Seq.CompareTo(other.Seq);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Log}#{Seq}";

    /// <summary>Before.</summary>
    public static bool operator <(TransactionId left, TransactionId right) => left.CompareTo(right) < 0;

    /// <summary>After.</summary>
    public static bool operator >(TransactionId left, TransactionId right) => left.CompareTo(right) > 0;

    /// <summary>Before or equal.</summary>
    public static bool operator <=(TransactionId left, TransactionId right) => left.CompareTo(right) <= 0;

    /// <summary>After or equal.</summary>
    public static bool operator >=(TransactionId left, TransactionId right) => left.CompareTo(right) >= 0;
}
