using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>Reads the logs of an encoded cut, and takes over what is written as it is in one that is known.</summary>
/// <remarks>A member that says how far it is names every log there is, and says of almost all what it said before.</remarks>
internal static class PositionsReader
{
    /// <summary>Reads so many logs.</summary>
    /// <param name="reader">Marked as failed if they are not in canonical form.</param>
    /// <param name="count">How many.</param>
    /// <param name="like">Sorted.</param>
    /// <param name="orLike">Sorted.</param>
    /// <returns>Null if the reader failed.</returns>
    internal static AuthorPositions[]? Read(
        ref WireReader reader, int count, ReadOnlySpan<AuthorPositions> like, ReadOnlySpan<AuthorPositions> orLike)
    {
        var authors = new List<AuthorPositions>(Math.Max(like.Length, orLike.Length));
        while (count > 0 && !reader.Failed)
        {
            NodeId author = AuthorAt(reader);
            reader.Require(authors.Count == 0 || authors[^1].Author < author);
            AuthorPositions? known = Known(ref reader, author, count, ref like)
                ?? Known(ref reader, author, count, ref orLike);
            known ??= ReadOne(ref reader, author, count);
            if (known is not null)
            {
                authors.Add(known);
                count -= known.Count;
            }
        }

        return reader.Failed ? null : [.. authors];
    }

    /// <summary>What comes next, if it is written exactly so: the same logs, and after them another author's or none.</summary>
    private static AuthorPositions? Known(
        ref WireReader reader, NodeId author, int count, ref ReadOnlySpan<AuthorPositions> sorted)
    {
        while (!sorted.IsEmpty && sorted[0].Author < author)
        {
            sorted = sorted[1..];
        }

        if (sorted.IsEmpty || sorted[0].Author != author || sorted[0].Count > count)
        {
            return null;
        }

        AuthorPositions known = sorted[0];
        WireReader after = reader;
        if (!after.Raw(known.Encoded.Length).SequenceEqual(known.Encoded)
            || (known.Count < count && AuthorAt(after) == author))
        {
            return null;
        }

        reader = after;
        return known;
    }

    private static AuthorPositions? ReadOne(ref WireReader reader, NodeId author, int count)
    {
        var logs = new List<KeyValuePair<LogId, LogPosition>>();
        while (logs.Count < count && !reader.Failed && AuthorAt(reader) == author)
        {
            reader.Raw(NodeId.Size);
            ulong incarnation = reader.VarUInt();
            reader.Require(incarnation <= uint.MaxValue && (logs.Count == 0 || logs[^1].Key.Incarnation < incarnation));
            logs.Add(new(new LogId(author, (uint)incarnation), new LogPosition(reader.VarUInt(), reader.VarUInt())));
        }

        return reader.Failed || logs.Count == 0 ? null : new AuthorPositions([.. logs]);
    }

    /// <summary>Whose log comes next, without reading on; zeros at the end.</summary>
    private static NodeId AuthorAt(WireReader reader) => new(reader.Bytes32());
}
