using Cairn.Core.Primitives;

namespace Cairn.Simulation.Campaigns;

/// <summary>A cell of a file, as one write made it.</summary>
/// <param name="Write">The write's number.</param>
/// <param name="Index">The place in the file, in cells.</param>
public readonly record struct WrittenCell(ulong Write, int Index);

/// <summary>Remembers every write of a campaign, what was promised about it, and who wrote over it.</summary>
/// <remarks>
/// The promise: a write that was answered survives kill -9 of its node; one that was synced survives power loss too.
/// It is kept when the cell is in the final tree, under the file's name or a conflict's, or a write that saw it took
/// its place and is there in turn, or somebody who saw it removed it. Thread: the simulation's.
/// </remarks>
public sealed class Oracle
{
    private readonly List<Record> _records = [];

    private enum Promise
    {
        /// <summary>Not answered, or lost its claim: it may be there or not.</summary>
        None,

        /// <summary>Answered: survives kill -9.</summary>
        Answered,

        /// <summary>Synced: survives power loss.</summary>
        Synced,
    }

    /// <summary>Writes begun.</summary>
    public int Writes => _records.Count;

    /// <summary>Writes that a promise holds for now.</summary>
    public int Promised => _records.Count(record => record.Promise != Promise.None);

    /// <summary>A write begins.</summary>
    /// <param name="node">Where.</param>
    /// <param name="path">For reports.</param>
    /// <param name="first">The first cell's place.</param>
    /// <param name="seen">What each cell showed to the writer; 0 for a hole.</param>
    /// <returns>Its number.</returns>
    public ulong Begin(int node, string path, int first, ReadOnlySpan<ulong> seen)
    {
        ulong write = (ulong)_records.Count + 1;
        for (int i = 0; i < seen.Length; i++)
        {
            if (seen[i] != 0)
            {
                (Find(new WrittenCell(seen[i], first + i)).Successors ??= []).Add((first + i, write));
            }
        }

        _records.Add(new Record(node, path, first, seen.Length));
        return write;
    }

    /// <summary>The write was answered with success.</summary>
    public void Answered(ulong write) => At(write).Promise = Promise.Answered;

    /// <summary>A sync that covers the write was answered with success.</summary>
    public void Synced(ulong write)
    {
        Record record = At(write);
        record.Promise = record.Promise == Promise.Answered ? Promise.Synced : record.Promise;
    }

    /// <summary>The write went to a file that has no name any more: nothing is promised.</summary>
    public void Withdrawn(ulong write) => At(write).Promise = Promise.None;

    /// <summary>Somebody who sees these cells is about to remove them.</summary>
    public void Removing(IEnumerable<WrittenCell> cells)
    {
        foreach (WrittenCell cell in cells)
        {
            Record record = Find(cell);
            record.Removals ??= new int[record.Count];
            record.Removals[cell.Index - record.First]++;
        }
    }

    /// <summary>The removal failed.</summary>
    public void NotRemoved(IEnumerable<WrittenCell> cells)
    {
        foreach (WrittenCell cell in cells)
        {
            Record record = Find(cell);
            record.Removals![cell.Index - record.First]--;
        }
    }

    /// <summary>A node lost power: what it had not synced may be gone.</summary>
    public void PowerLost(int node)
    {
        foreach (Record record in _records)
        {
            if (record.Node == node && record.Promise == Promise.Answered)
            {
                record.Promise = Promise.None;
            }
        }
    }

    /// <summary>Whether a write of this number and place was ever made.</summary>
    public bool Knows(WrittenCell cell) => cell.Write - 1 < (ulong)_records.Count
        && cell.Index >= At(cell.Write).First && cell.Index < At(cell.Write).First + At(cell.Write).Count;

    /// <summary>The promised cells that are not in the tree, and that nobody who saw them took away.</summary>
    /// <param name="found">Every cell of every file and conflict of the final tree.</param>
    public IReadOnlyList<WrittenCell> Lost(IReadOnlySet<WrittenCell> found)
    {
        List<WrittenCell> lost = [];
        HashSet<WrittenCell> kept = [];

        // From the last write to the first: a successor is always judged before what it took the place of.
        for (int i = _records.Count - 1; i >= 0; i--)
        {
            Record record = _records[i];
            for (int c = 0; c < record.Count; c++)
            {
                WrittenCell cell = new((ulong)i + 1, record.First + c);
                bool isKept = found.Contains(cell) || record.Removals?[c] > 0
                    || record.SuccessorsOf(cell.Index).Any(next => kept.Contains(new(next, cell.Index)));
                if (isKept)
                {
                    kept.Add(cell);
                }
                else if (record.Promise != Promise.None)
                {
                    lost.Add(cell);
                }
            }
        }

        lost.Reverse();
        return lost;
    }

    /// <summary>A cell in words.</summary>
    public string Describe(WrittenCell cell)
    {
        Record record = At(cell.Write);
        return $"write {cell.Write} of node{record.Node} to {record.Path}, cell {cell.Index} ({record.Promise})";
    }

    private Record At(ulong write) => _records[(int)write - 1];

    private Record Find(WrittenCell cell)
    {
        Invariant.That(Knows(cell), $"write {cell.Write}, cell {cell.Index}: no such write");
        return At(cell.Write);
    }

    private sealed class Record(int node, string path, int first, int count)
    {
        public int Node { get; } = node;

        public string Path { get; } = path;

        public int First { get; } = first;

        public int Count { get; } = count;

        public Promise Promise { get; set; }

        public int[]? Removals { get; set; }

        public List<(int Index, ulong Write)>? Successors { get; set; }

        public IEnumerable<ulong> SuccessorsOf(int index) =>
            Successors?.Where(next => next.Index == index).Select(next => next.Write) ?? [];
    }
}
