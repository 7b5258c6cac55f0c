using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Index;

/// <summary>Reads the records of objects that were made together in one go, once a second of them is asked for.</summary>
/// <remarks>
/// Who lists a folder asks for every object in it, one after the other, and not in the order of their ids. A look costs the
/// database more in locks than in reading. Records are kept as they are stored, until something is written.
/// Why they lie side by side: docs/decisions/near-ids.md. Guarded by the index's lock for reading.
/// </remarks>
internal sealed class NearObjects(IIndexStore below)
{
    private const int RowsPerRead = 64;

    /// <summary>As many as <see cref="FreshIds"/> makes with the same beginning; others may have made more.</summary>
    private const int RowsMax = 256;

    private const int GroupBytesMax = 256 << 10;
    private const int GroupsMax = 32;

    /// <summary>By the beginning of their keys; null: one of them was asked for, none is here.</summary>
    private readonly Dictionary<ulong, Group?> _groups = [];

    /// <param name="Rows">In order, from the first on.</param>
    /// <param name="IsWhole">Whether there are no others.</param>
    private sealed record Group(List<KeyValuePair<byte[], byte[]>> Rows, bool IsWhole)
    {
        private static readonly Comparer<KeyValuePair<byte[], byte[]>> ByKey =
            Comparer<KeyValuePair<byte[], byte[]>>.Create(
                static (left, right) => left.Key.AsSpan().SequenceCompareTo(right.Key));

        /// <returns>False: it is not known here.</returns>
        public bool TryFind(byte[] key, out byte[]? value)
        {
            int at = Rows.BinarySearch(new(key, []), ByKey);
            value = at >= 0 ? Rows[at].Value : null;
            return at >= 0 || IsWhole;
        }
    }

    /// <summary>The value of a key as it is stored, or null; of an object perhaps without asking below.</summary>
    public Result<byte[]?, IndexError> Get(byte[] stored)
    {
        if (stored.Length != TreeKeys.IdKeySize || stored[0] != TreeKeys.Object)
        {
            return below.Get(stored);
        }

        const int otherBits = 8 * (sizeof(ulong) - TreeKeys.NearObjectsSize);
        ulong beginning = BinaryPrimitives.ReadUInt64BigEndian(stored) >> otherBits;
        if (!_groups.TryGetValue(beginning, out Group? group))
        {
            if (_groups.Count == GroupsMax)
            {
                _groups.Clear();
            }

            _groups.Add(beginning, null);
            return below.Get(stored);
        }

        if (group is null)
        {
            if (!Read(stored.AsSpan(0, TreeKeys.NearObjectsSize)).TryGet(out group, out IndexError error))
            {
                return error;
            }

            _groups[beginning] = group;
        }

        return group.TryFind(stored, out byte[]? value) ? Result<byte[]?, IndexError>.Ok(value) : below.Get(stored);
    }

    /// <summary>Something was written.</summary>
    public void Clear() => _groups.Clear();

    private Result<Group, IndexError> Read(ReadOnlySpan<byte> beginning)
    {
        List<KeyValuePair<byte[], byte[]>> rows = [];
        byte[] from = beginning.ToArray();
        byte[] end = TreeKeys.EndOf(from);
        for (int bytes = 0; rows.Count < RowsMax && bytes < GroupBytesMax;)
        {
            if (!below.Scan(from, end, RowsPerRead).TryGet(
                out IReadOnlyList<KeyValuePair<byte[], byte[]>>? page, out IndexError error))
            {
                return error;
            }

            rows.AddRange(page);
            if (page.Count < RowsPerRead)
            {
                return new Group(rows, IsWhole: true);
            }

            bytes += page.Sum(static row => row.Value.Length);
            from = [.. page[^1].Key, 0];
        }

        return new Group(rows, IsWhole: false);
    }
}
