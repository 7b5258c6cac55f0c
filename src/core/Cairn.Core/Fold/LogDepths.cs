using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>The depths of one log's transactions, as runs in which both seq and depth grow by one.</summary>
internal sealed class LogDepths
{
    private readonly List<(ulong Seq, ulong Depth)> _runs = [];

    /// <summary>The last transaction held; 0 for none.</summary>
    internal ulong Last { get; private set; }

    /// <summary>The first whose depth is known; 0 for none.</summary>
    internal ulong First => _runs.Count == 0 ? 0 : _runs[0].Seq;

    /// <summary>Whether it changed since it was last written out.</summary>
    internal bool Dirty { get; set; }

    internal static LogDepths StartAt(ulong seq, ulong depth)
    {
        var depths = new LogDepths { Last = seq, Dirty = true };
        depths._runs.Add((seq, depth));
        return depths;
    }

    internal void Append(ulong seq, ulong depth)
    {
        Invariant.That(seq == Last + 1, $"transaction {seq} after {Last}");
        if (_runs.Count == 0 || _runs[^1].Depth + (seq - _runs[^1].Seq) != depth)
        {
            _runs.Add((seq, depth));
        }

        Last = seq;
        Dirty = true;
    }

    /// <summary>The depth of a transaction that is held, or 0 when it was forgotten below a stable cut.</summary>
    internal ulong this[ulong seq]
    {
        get
        {
            Invariant.That(seq <= Last, $"depth of {seq}, last is {Last}");
            for (int i = _runs.Count - 1; i >= 0; i--)
            {
                if (_runs[i].Seq <= seq)
                {
                    return _runs[i].Depth + (seq - _runs[i].Seq);
                }
            }

            return 0;
        }
    }

    /// <summary>The last transaction of less than a depth; 0 for none, null if that was forgotten.</summary>
    internal ulong? LastBefore(ulong depth)
    {
        ulong end = Last;
        for (int i = _runs.Count - 1; i >= 0; i--)
        {
            (ulong seq, ulong first) = _runs[i];
            if (first < depth)
            {
                return Math.Min(end, seq + (depth - 1 - first));
            }

            end = seq - 1;
        }

        return First > 1 ? null : 0;
    }

    /// <summary>Forgets everything before <paramref name="seq"/>.</summary>
    internal void ForgetBefore(ulong seq)
    {
        if (_runs.Count == 0 || seq <= _runs[0].Seq || seq > Last)
        {
            return;
        }

        ulong depth = this[seq];
        _runs.RemoveAll(run => run.Seq <= seq);
        _runs.Insert(0, (seq, depth));
        Dirty = true;
    }

    internal void Encode(WireWriter writer)
    {
        writer.VarUInt(Last);
        writer.Count(_runs.Count);
        foreach ((ulong seq, ulong depth) in _runs)
        {
            writer.VarUInt(seq);
            writer.VarUInt(depth);
        }
    }

    internal static LogDepths Decode(ref WireReader reader)
    {
        var depths = new LogDepths { Last = reader.VarUInt() };
        int count = reader.Count(2);
        for (int i = 0; i < count; i++)
        {
            depths._runs.Add((reader.VarUInt(), reader.VarUInt()));
            reader.Require(depths._runs[i].Seq <= depths.Last
                && (i == 0 || depths._runs[i].Seq > depths._runs[i - 1].Seq));
        }

        return depths;
    }
}
