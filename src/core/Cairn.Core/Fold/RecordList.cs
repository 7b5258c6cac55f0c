using System.Runtime.InteropServices;

namespace Cairn.Core.Fold;

/// <summary>A key with its value, as a table keeps it in memory.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct TableRecord
{
    internal TableBytes Key;

    /// <summary>Absent once the record was removed from its table.</summary>
    internal TableBytes Value;

    /// <summary>Whether it has its place among the sorted records.</summary>
    internal bool IsFiled;

    /// <summary>Whether it is among the changes to be taken.</summary>
    internal bool IsChanged;
}

/// <summary>The records of a table, by number. The number of one that was given back is used again.</summary>
internal sealed class RecordList
{
    private readonly Stack<int> _free = [];
    private TableRecord[] _records = new TableRecord[16];
    private int _end;

    /// <summary>A record; the reference is void after the next <see cref="Add"/>.</summary>
    internal ref TableRecord this[int number] => ref _records[number];

    /// <summary>Adds a record; returns its number.</summary>
    internal int Add(TableBytes key, TableBytes value)
    {
        if (!_free.TryPop(out int number))
        {
            number = _end++;
            if (number == _records.Length)
            {
                Array.Resize(ref _records, 2 * number);
            }
        }

        _records[number] = new TableRecord { Key = key, Value = value };
        return number;
    }

    /// <summary>Nobody has the number any more.</summary>
    internal void GiveBack(int number)
    {
        _records[number] = default;
        _free.Push(number);
    }
}
