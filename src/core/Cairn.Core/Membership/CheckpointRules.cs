using System.Buffers;
using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>A checkpoint that all who took part in the pool had made when the last of them said so.</summary>
/// <param name="Checkpoint">What they made.</param>
/// <param name="Members">Who they were, in the order of ids.</param>
public sealed record StandingCheckpoint(MadeCheckpoint Checkpoint, ImmutableArray<NodeId> Members);

/// <summary>Which checkpoints of volumes the members say they have made, and when one stands.</summary>
/// <remarks>
/// Each member says what it made of its own fold, and nobody proposes: the word of one, or of a few, is worth nothing.
/// A checkpoint stands once the last of all nodes that are members at that place in the order has said the same; who is
/// granted later has nothing to say to it. Source: docs/decisions/compaction.md.
/// </remarks>
internal static class CheckpointRules
{
    private const byte MadeTag = (byte)'C';
    private const byte StandingTag = (byte)'S';

    /// <summary>Notes what a member made, and whether it stands by that.</summary>
    public static void Apply(ITreeTable state, NodeId author, VouchCheckpoint vouch)
    {
        Member[] members = [.. PoolTable.Members(state).Where(member => member.IsActiveNode)];
        if (!members.Any(member => member.Node == author) || PoolTable.GetVolume(state, vouch.Volume) is null)
        {
            return;
        }

        state.Put(MadeKey(vouch.Volume, author), Encode(vouch.Checkpoint, []));
        bool isNews = state.Get(StandingKey(vouch.Volume)) is not { } before
            || Decode(before).Checkpoint.Depth <= vouch.Checkpoint.Depth;
        if (isNews && members.All(member => MadeBy(state, vouch.Volume, member.Node) == vouch.Checkpoint))
        {
            state.Put(
                StandingKey(vouch.Volume), Encode(vouch.Checkpoint, [.. members.Select(member => member.Node)]));
        }
    }

    /// <summary>What each member made last of each volume.</summary>
    public static IEnumerable<KeyValuePair<(VolumeId Volume, NodeId Member), MadeCheckpoint>> Made(ITreeTable state)
    {
        TableCursor cursor = state.Scan([MadeTag], [MadeTag + 1]);
        while (cursor.MoveNext())
        {
            ReadOnlySpan<byte> key = cursor.Key.AsSpan(1);
            VolumeId volume = new(key[..VolumeId.Size]);
            yield return new((volume, new NodeId(key[VolumeId.Size..])), Decode(cursor.Value).Checkpoint);
        }
    }

    /// <summary>The newest of each volume that stands.</summary>
    public static IEnumerable<KeyValuePair<VolumeId, StandingCheckpoint>> Standing(ITreeTable state)
    {
        TableCursor cursor = state.Scan([StandingTag], [StandingTag + 1]);
        while (cursor.MoveNext())
        {
            yield return new(new VolumeId(cursor.Key.AsSpan(1)), Decode(cursor.Value));
        }
    }

    private static MadeCheckpoint? MadeBy(ITreeTable state, VolumeId volume, NodeId member) =>
        state.Get(MadeKey(volume, member)) is { } row ? Decode(row).Checkpoint : null;

    private static byte[] Encode(MadeCheckpoint checkpoint, ReadOnlySpan<NodeId> members)
    {
        var output = new ArrayBufferWriter<byte>(128);
        var writer = new WireWriter(output);
        checkpoint.Encode(writer);
        foreach (NodeId member in members)
        {
            writer.Bytes32(member.Value);
        }

        return output.WrittenSpan.ToArray();
    }

    private static StandingCheckpoint Decode(byte[] row)
    {
        var reader = new WireReader(row);
        MadeCheckpoint checkpoint = MadeCheckpoint.Decode(ref reader);
        var members = new NodeId[reader.Remaining / NodeId.Size];
        for (int i = 0; i < members.Length; i++)
        {
            members[i] = new NodeId(reader.Bytes32());
        }

        Invariant.That(reader.Complete, "a row of checkpoints");
        return new StandingCheckpoint(checkpoint, [.. members]);
    }

    private static byte[] MadeKey(VolumeId volume, NodeId member) =>
        [MadeTag, .. volume.Value.ToArray(), .. member.Value.ToArray()];

    private static byte[] StandingKey(VolumeId volume) => [StandingTag, .. volume.Value.ToArray()];
}
