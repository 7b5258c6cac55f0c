using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>A checkpoint that all who took part in the pool had made when the last of them said so.</summary>
/// <param name="Checkpoint">What they made.</param>
/// <param name="Members">Who they were, in the order of ids.</param>
public sealed record StandingCheckpoint(MadeCheckpoint Checkpoint, ImmutableArray<NodeId> Members);

/// <summary>A checkpoint that stands, and may be settled once it is old.</summary>
/// <param name="Standing">Which.</param>
/// <param name="Since">When the last member said that it had made it.</param>
public sealed record AgingCheckpoint(StandingCheckpoint Standing, WallTime Since);

/// <summary>What a member said about settling a checkpoint.</summary>
/// <param name="Checkpoint">Which.</param>
/// <param name="Agrees">Whether every fold may begin with it.</param>
public readonly record struct SettleWord(MadeCheckpoint Checkpoint, bool Agrees);

/// <summary>Which checkpoints of volumes the members say they have made, when one stands, and when one is settled.</summary>
/// <remarks>
/// Each member says what it made of its own fold, and nobody proposes: the word of one, or of a few, is worth nothing.
/// A checkpoint stands once the last of all nodes that are members at that place in the order has said the same; who is
/// granted later has nothing to say to it. One that stands for long is settled once all members have said that every
/// fold may begin with it, as the one who says so last has seen it: what comes to light later, and belongs earlier in
/// the order, takes that back no more. Of all that are settled the deepest counts, so it only grows.
/// Source: docs/decisions/compaction.md.
/// </remarks>
internal static class CheckpointRules
{
    internal const byte MadeTag = (byte)'C';
    internal const byte StandingTag = (byte)'S';
    internal const byte AgingTag = (byte)'A';
    internal const byte WordTag = (byte)'Y';
    internal const byte SettledTag = (byte)'B';

    /// <summary>Notes what a member made, and whether it stands by that.</summary>
    public static void Apply(ITreeTable state, Transaction transaction, VouchCheckpoint vouch)
    {
        NodeId author = transaction.Id.Log.Author;
        Member[] members = ActiveIn(state);
        if (!members.Any(member => member.Node == author) || PoolTable.GetVolume(state, vouch.Volume) is null)
        {
            return;
        }

        state.Put(Key(MadeTag, vouch.Volume, author), Encode(vouch.Checkpoint, []));
        bool isNews = Read(state, StandingTag, vouch.Volume) is not { } before
            || before.Checkpoint.Depth <= vouch.Checkpoint.Depth;
        if (isNews && members.All(member => MadeBy(state, vouch.Volume, member.Node) == vouch.Checkpoint))
        {
            byte[] row = Encode(vouch.Checkpoint, [.. members.Select(member => member.Node)]);
            state.Put(Key(StandingTag, vouch.Volume), row);
            if (state.Get(Key(AgingTag, vouch.Volume)) is null)
            {
                state.Put(Key(AgingTag, vouch.Volume), [.. Time(transaction.Claimed), .. row]);
            }
        }
    }

    /// <summary>Notes what a member says about settling a checkpoint, and whether it is settled by that.</summary>
    /// <param name="state">The pool at the place of the word.</param>
    /// <param name="transaction">Its transaction.</param>
    /// <param name="word">The word.</param>
    /// <param name="seenOtherwise">What is otherwise in the pool as its author had seen it.</param>
    public static void Apply(
        ITreeTable state, Transaction transaction, SettleCheckpoint word, IReadOnlyList<TableChange> seenOtherwise)
    {
        NodeId author = transaction.Id.Log.Author;
        if (Decide(state, author, word, seenOtherwise) is { } settled
            && (Read(state, SettledTag, word.Volume) is not { } before || IsDeeper(settled, before)))
        {
            state.Put(Key(SettledTag, word.Volume), Encode(settled.Checkpoint, [.. settled.Members]));
        }

        if (ActiveIn(state).Any(member => member.Node == author) && PoolTable.GetVolume(state, word.Volume) is not null)
        {
            state.Put(
                Key(WordTag, word.Volume, author), [word.Agrees ? (byte)1 : (byte)0, .. Encode(word.Checkpoint, [])]);
        }

        if (Aging(state, word.Volume) is { } aging
            && ((!word.Agrees && aging.Standing.Checkpoint == word.Checkpoint)
                || Read(state, SettledTag, word.Volume)?.Checkpoint.Depth >= aging.Standing.Checkpoint.Depth))
        {
            StandingCheckpoint next = Read(state, StandingTag, word.Volume)!;
            bool isDeeper = next.Checkpoint.Depth > aging.Standing.Checkpoint.Depth;
            byte[] row = [.. Time(transaction.Claimed), .. Encode(next.Checkpoint, [.. next.Members])];
            state.Put(Key(AgingTag, word.Volume), isDeeper ? row : null);
        }
    }

    /// <summary>Whether the words of all members settle a checkpoint, if the last of them is said with them in view.</summary>
    public static bool IsSettledBy(
        IEnumerable<Member> all, Func<NodeId, SettleWord?> words, MadeCheckpoint checkpoint)
    {
        Member[] nodes = [.. all];
        Member[] active = [.. nodes.Where(static member => member.IsActiveNode)];
        return active.Length > 1 && !Awaited(nodes).Any()
            && active.All(member => words(member.Node) == new SettleWord(checkpoint, Agrees: true));
    }

    /// <summary>The forgotten members without whose word nothing is settled; none where it is settled without them.</summary>
    /// <remarks>
    /// Two parts of a pool that forgot each other may each be of one mind. Of what they settle the one must have all of the
    /// other: so somebody must have spoken in both, and only an admin can tell a part apart from the whole, for nobody is
    /// forgotten or taken in but by an admin's word. No admin, then, and not half of all. Who left by its own will is of no part.
    /// Source: docs/decisions/absent-history.md.
    /// </remarks>
    public static IEnumerable<Member> Awaited(IEnumerable<Member> all)
    {
        Member[] nodes = [.. all.Where(static member => member.IsActiveNode || member.MayReturn)];
        int active = nodes.Count(static member => member.IsActiveNode);
        return nodes.Where(
            member => member.MayReturn && (member.Role == MemberRole.Admin || 2 * active <= nodes.Length));
    }

    /// <summary>What each member made last of each volume.</summary>
    public static IEnumerable<KeyValuePair<(VolumeId Volume, NodeId Member), MadeCheckpoint>> Made(ITreeTable state)
    {
        TableCursor cursor = state.Scan([MadeTag], [MadeTag + 1]);
        while (cursor.MoveNext())
        {
            yield return new(VolumeAndMember(cursor.Key), Decode(cursor.Value).Checkpoint);
        }
    }

    /// <summary>The newest of each volume that stands.</summary>
    public static IEnumerable<KeyValuePair<VolumeId, StandingCheckpoint>> Standing(ITreeTable state) =>
        All(state, StandingTag, Decode);

    /// <summary>Of each volume the one that is settled next.</summary>
    public static IEnumerable<KeyValuePair<VolumeId, AgingCheckpoint>> Aging(ITreeTable state) =>
        All(state, AgingTag, DecodeAging);

    /// <summary>The deepest of each volume that is settled, and who said so.</summary>
    public static IEnumerable<KeyValuePair<VolumeId, StandingCheckpoint>> Settled(ITreeTable state) =>
        All(state, SettledTag, Decode);

    /// <summary>What each member said last about settling one of each volume.</summary>
    public static IEnumerable<KeyValuePair<(VolumeId Volume, NodeId Member), SettleWord>> Words(ITreeTable state)
    {
        TableCursor cursor = state.Scan([WordTag], [WordTag + 1]);
        while (cursor.MoveNext())
        {
            yield return new(VolumeAndMember(cursor.Key), DecodeWord(cursor.Value));
        }
    }

    private static StandingCheckpoint? Decide(
        ITreeTable state, NodeId author, SettleCheckpoint word, IReadOnlyList<TableChange> seenOtherwise)
    {
        ITreeTable seen = PoolTable.AsSeen(state, seenOtherwise);
        SettleWord? WordOf(NodeId member) =>
            member == author ? new SettleWord(word.Checkpoint, word.Agrees)
            : seen.Get(Key(WordTag, word.Volume, member)) is { } row ? DecodeWord(row)
            : null;
        Member[] active = ActiveIn(seen);
        return active.Any(member => member.Node == author)
            && IsSettledBy(PoolTable.Members(seen), WordOf, word.Checkpoint)
            ? new StandingCheckpoint(word.Checkpoint, [.. active.Select(member => member.Node)])
            : null;
    }

    private static bool IsDeeper(StandingCheckpoint one, StandingCheckpoint other) =>
        one.Checkpoint.Depth > other.Checkpoint.Depth
        || (one.Checkpoint.Depth == other.Checkpoint.Depth
            && one.Checkpoint.Hash.CompareTo(other.Checkpoint.Hash) > 0);

    private static Member[] ActiveIn(ITreeTable state) =>
        [.. PoolTable.Members(state).Where(member => member.IsActiveNode)];

    private static MadeCheckpoint? MadeBy(ITreeTable state, VolumeId volume, NodeId member) =>
        state.Get(Key(MadeTag, volume, member)) is { } row ? Decode(row).Checkpoint : null;

    private static StandingCheckpoint? Read(ITreeTable state, byte tag, VolumeId volume) =>
        state.Get(Key(tag, volume)) is { } row ? Decode(row) : null;

    private static AgingCheckpoint? Aging(ITreeTable state, VolumeId volume) =>
        state.Get(Key(AgingTag, volume)) is { } row ? DecodeAging(row) : null;

    private static IEnumerable<KeyValuePair<VolumeId, T>> All<T>(ITreeTable state, byte tag, Func<byte[], T> decode)
    {
        TableCursor cursor = state.Scan([tag], [(byte)(tag + 1)]);
        while (cursor.MoveNext())
        {
            yield return new(new VolumeId(cursor.Key.AsSpan(1)), decode(cursor.Value));
        }
    }

    private static byte[] Time(WallTime time)
    {
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, time.UnixNanoseconds);
        return bytes;
    }

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

    private static AgingCheckpoint DecodeAging(byte[] row) =>
        new(Decode(row[sizeof(long)..]), new WallTime(BinaryPrimitives.ReadInt64BigEndian(row)));

    private static SettleWord DecodeWord(byte[] row) => new(Decode(row[1..]).Checkpoint, row[0] == 1);

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

    private static (VolumeId Volume, NodeId Member) VolumeAndMember(byte[] key) =>
        (new VolumeId(key.AsSpan(1, VolumeId.Size)), new NodeId(key.AsSpan(1 + VolumeId.Size)));

    private static byte[] Key(byte tag, VolumeId volume) => [tag, .. volume.Value.ToArray()];

    private static byte[] Key(byte tag, VolumeId volume, NodeId member) =>
        [tag, .. volume.Value.ToArray(), .. member.Value.ToArray()];
}
