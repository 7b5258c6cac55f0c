using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Fold.Tables;

/// <summary>A table that notes what is read of it: what was found out with it stays so until one of these keys changes.</summary>
/// <remarks>
/// Keys are told apart by their first byte and the id behind it: all entries of a folder are one. Not thread-safe.
/// </remarks>
/// <param name="table">Where the keys are.</param>
/// <param name="max">Of so many at most a note is taken.</param>
public sealed class NotedReads(ITableSource table, int max) : ITableSource
{
    private readonly HashSet<(byte First, Bytes16 Id)> _read = [];

    /// <summary>Whether everything that was read is noted.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <inheritdoc/>
    public TableBytes Find(ReadOnlySpan<byte> key)
    {
        Note(key);
        return table.Find(key);
    }

    /// <inheritdoc/>
    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        bool isOne = from.Length >= TreeKeys.IdKeySize && !to.IsEmpty
            && to.SequenceCompareTo(TreeKeys.EndOf(from[..TreeKeys.IdKeySize])) <= 0;
        IsWhole &= isOne;
        Note(from);
        return table.Scan(from, to);
    }

    /// <summary>Whether what was read may be otherwise when a key changes.</summary>
    public bool Has(ReadOnlySpan<byte> key) => !IsWhole || _read.Contains(Beginning(key));

    private void Note(ReadOnlySpan<byte> key)
    {
        IsWhole &= _read.Count < max;
        if (IsWhole)
        {
            _read.Add(Beginning(key));
        }
    }

    private static (byte First, Bytes16 Id) Beginning(ReadOnlySpan<byte> key)
    {
        Span<byte> padded = stackalloc byte[TreeKeys.IdKeySize];
        padded.Clear();
        key[..Math.Min(key.Length, padded.Length)].CopyTo(padded);
        return (padded[0], new Bytes16(padded[1..]));
    }
}
