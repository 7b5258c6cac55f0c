using System.Buffers;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold.Checkpoints;

/// <summary>Whose word the cut rests on: of anybody else nobody knows whether it had seen what is fixed.</summary>
/// <remarks>
/// A member that is forgotten is not waited for. What it writes meanwhile may come behind the cut all the same, and then
/// be about a state that cannot be found again here. Kept in the table, so that a node that starts anew knows.
/// </remarks>
internal sealed class Witnesses
{
    private static readonly byte[] Key = [FoldKeys.Reserved, (byte)'W'];

    private readonly ITreeTable _table;
    private SortedSet<NodeId>? _members;

    internal Witnesses(ITreeTable table)
    {
        _table = table;
        if (table.Get(Key) is not { } bytes)
        {
            return;
        }

        _members = [];
        var reader = new WireReader(bytes);
        for (int count = reader.Count(NodeId.Size); count > 0; count--)
        {
            _members.Add(new NodeId(reader.Bytes32()));
        }

        Invariant.That(reader.Complete, "a fold's list of witnesses is damaged: rebuild the index");
    }

    /// <summary>Whether a member had seen all that is fixed when it wrote what comes now.</summary>
    internal bool Has(NodeId member) => _members?.Contains(member) ?? true;

    /// <summary>These said that they have all that is fixed, and what will be.</summary>
    internal void Set(IReadOnlyCollection<NodeId> members)
    {
        if (_members is not null && _members.SetEquals(members))
        {
            return;
        }

        _members = [.. members];
        Put(_table, _members);
    }

    /// <summary>Says in a table on whose word its cut rests.</summary>
    internal static void Put(ITreeTable table, SortedSet<NodeId> members)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new WireWriter(output);
        writer.Count(members.Count);
        foreach (NodeId member in members)
        {
            writer.Bytes32(member.Value);
        }

        table.Put(Key, output.WrittenSpan.ToArray());
    }
}
