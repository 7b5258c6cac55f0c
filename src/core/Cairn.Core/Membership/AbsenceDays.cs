using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>Counts for each member on how many days in a row it was not seen.</summary>
/// <remarks>
/// Only days on which this node itself ran count: one that was off for a year comes back with one day more, and a clock
/// that jumps costs one, however far. Nothing depends on the clocks of others.
/// </remarks>
public sealed class AbsenceDays
{
    /// <summary>The version of the layout, the first byte.</summary>
    public const byte FormatVersion = 1;

    private readonly SortedDictionary<NodeId, ulong> _days = [];
    private readonly SortedSet<NodeId> _seen = [];
    private ulong _day;

    /// <summary>Takes a look.</summary>
    /// <param name="day">Today's number; any other than the last one begins a day.</param>
    /// <param name="members">All others that count.</param>
    /// <param name="isHere">Whether one is here now.</param>
    /// <returns>Whether anything is to be kept.</returns>
    public bool Look(ulong day, IReadOnlyCollection<NodeId> members, Func<NodeId, bool> isHere)
    {
        bool isChanged = false;
        foreach (NodeId member in members.Where(isHere))
        {
            _seen.Add(member);
            isChanged |= _days.Remove(member);
        }

        if (day == _day)
        {
            return isChanged;
        }

        foreach (NodeId gone in _days.Keys.Except(members).ToArray())
        {
            _days.Remove(gone);
        }

        foreach (NodeId absent in members.Except(_seen))
        {
            _days[absent] = Of(absent) + 1;
        }

        _seen.Clear();
        _day = day;
        return true;
    }

    /// <summary>On how many days in a row a member was not seen.</summary>
    public ulong Of(NodeId member) => _days.GetValueOrDefault(member);

    /// <summary>Writes the counts: docs/formats/pool-home.md.</summary>
    public void Encode(WireWriter writer)
    {
        writer.Byte(FormatVersion);
        writer.VarUInt(_day);
        writer.Count(_days.Count);
        foreach ((NodeId member, ulong days) in _days)
        {
            writer.Bytes32(member.Value);
            writer.VarUInt(days);
        }
    }

    /// <summary>Reads counts; none from bytes that are not to be understood: members get more time then.</summary>
    public static AbsenceDays Decode(ReadOnlySpan<byte> bytes)
    {
        var read = new AbsenceDays();
        var reader = new WireReader(bytes);
        reader.Require(reader.Byte() == FormatVersion);
        read._day = reader.VarUInt();
        int count = reader.Count(NodeId.Size + 1);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            read._days[new NodeId(reader.Bytes32())] = reader.VarUInt();
        }

        return reader.Complete ? read : new AbsenceDays();
    }
}
