using System.Buffers.Binary;
using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>Which transactions were written by somebody who had seen the mark of a limit, or what follows from it.</summary>
/// <remarks>
/// Whoever has seen something goes on having seen it: so of each log the first transaction is noted. In the table, so that
/// it is undone and done again with the rest.
/// </remarks>
internal static class SeenLimits
{
    private const int LogSize = NodeId.Size + sizeof(uint);
    private const int KeySize = 1 + TreeKeys.TransactionIdSize + LogSize;

    /// <summary>Notes what a transaction has seen, at its place in the order.</summary>
    internal static void Note(Transaction transaction, ImmutableArray<TransactionId> marks, ITreeTable state)
    {
        foreach (TransactionId mark in marks)
        {
            if (!HasSeen(state, mark, transaction.Id)
                && transaction.Dependencies.Any(dependency => HasSeen(state, mark, dependency)))
            {
                byte[] first = new byte[sizeof(ulong)];
                BinaryPrimitives.WriteUInt64LittleEndian(first, transaction.Id.Seq);
                state.Put(Key(new byte[KeySize], mark, transaction.Id.Log), first);
            }
        }
    }

    /// <summary>Whether a transaction that is folded is the mark, or was written by who had seen it.</summary>
    internal static bool HasSeen(ITableSource state, TransactionId mark, TransactionId id) => id.Log == mark.Log
        ? id.Seq >= mark.Seq
        : state.Get(Key(stackalloc byte[KeySize], mark, id.Log)) is { } first
            && BinaryPrimitives.ReadUInt64LittleEndian(first) <= id.Seq;

    /// <summary>A mark is asked for no more.</summary>
    /// <remarks>What was noted of it depends on nothing but what depends on what: it need not be undone.</remarks>
    internal static void Forget(ITreeTable state, TransactionId mark)
    {
        byte[] from = Key(new byte[KeySize], mark, default).ToArray();
        byte[] to = Key(new byte[KeySize], mark with { Seq = mark.Seq + 1 }, default).ToArray();
        var noted = new List<byte[]>();
        TableCursor cursor = state.Scan(from, to);
        while (cursor.MoveNext())
        {
            noted.Add(cursor.Key);
        }

        noted.ForEach(key => state.Put(key, null));
    }

    private static Span<byte> Key(Span<byte> key, TransactionId mark, LogId log)
    {
        key[0] = TreeKeys.SeenLimit;
        TreeKeys.Transaction(key[1..], mark);
        Span<byte> rest = key[(1 + TreeKeys.TransactionIdSize)..];
        log.Author.Value.CopyTo(rest);
        BinaryPrimitives.WriteUInt32BigEndian(rest[NodeId.Size..], log.Incarnation);
        return key;
    }
}
