using System.Runtime.InteropServices;

namespace Cairn.Core.Fold.Tables;

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
/// <remarks>They lie in runs that are never copied, but for the first, which grows with a small table.</remarks>
internal sealed class RecordList
{
    private const int RunBits = 12;
    private const int RunLength = 1 << RunBits;
    private const int FirstLength = 16;

    private readonly Stack<int> _free = [];
    private TableRecord[][] _runs = [new TableRecord[FirstLength]];
    private int _end;

    /// <summary>A record; the reference is void after the next <see cref="Add"/>.</summary>
    internal ref TableRecord this[int number] => ref _runs[number >> RunBits][number & (RunLength - 1)];

    /// <summary>Adds a record; returns its number.</summary>
    internal int Add(TableBytes key, TableBytes value)
    {
        if (!_free.TryPop(out int number))
        {
            number = _end++;
            MakeRoom(number);
        }

        this[number] = new TableRecord { Key = key, Value = value };
        return number;
    }

    /// <summary>Nobody has the number any more.</summary>
    internal void GiveBack(int number)
    {
        this[number] = default;
        _free.Push(number);
    }

    private void MakeRoom(int number)
    {
        (int run, int at) = (number >> RunBits, number & (RunLength - 1));
        if (run == 0 && at == _runs[0].Length)
        {
            Array.Resize(ref _runs[0], 2 * at);
        }
        else if (run > 0 && at == 0)
        {
            if (run == _runs.Length)
            {
                Array.Resize(ref _runs, 2 * run);
            }

            _runs[run] = new TableRecord[RunLength];
        }
    }
}
