using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;

namespace Cairn.Core.Membership;

/// <summary>
/// The keys and values in which <see cref="PoolApplier"/> keeps its state: docs/formats/pool-table.md.
/// </summary>
/// <remarks>
/// The values were written by this program from checked input, so one that does not read is a broken invariant.
/// </remarks>
internal static class PoolTable
{
    public const int TextBytesMax = 255;

    internal const byte MemberTag = (byte)'M';
    internal const byte VolumeTag = (byte)'V';
    private const byte Live = 0;
    private const byte Removed = 1;
    private const byte Purged = 2;
    internal const byte KeyTag = (byte)'K';
    internal const byte LimitTag = (byte)'L';
    internal const byte WritersTag = (byte)'E';
    internal const byte HoldTag = (byte)'H';
    internal const byte FolderTag = (byte)'F';
    internal const byte UserTag = (byte)'U';
    internal const byte WeightsTag = (byte)'W';
    internal const byte CreatedTag = (byte)'T';
    private static readonly byte[] WeightsKey = [WeightsTag];

    private delegate T Reading<T>(ref WireReader reader);

    /// <summary>A member and, when it was revoked, by whom; when it left by its own will, itself.</summary>
    public readonly record struct MemberRow(Member Member, NodeId ExcludedBy);

    /// <summary>A volume with who may remove it beside the admins.</summary>
    public readonly record struct VolumeRow(PoolVolume Volume, NodeId Creator);

    /// <summary>The pool as the author of a transaction had seen it; writing into it leaves the pool alone.</summary>
    /// <param name="table">The pool at the place of the transaction.</param>
    /// <param name="otherwise">What is otherwise in what its author had seen.</param>
    public static ITreeTable AsSeen(ITreeTable table, IReadOnlyList<TableChange> otherwise)
    {
        var seen = new OverlayTable(table, cacheBytesMax: 0, learnKeysMax: 0);
        foreach (TableChange change in otherwise)
        {
            seen.Put(change.Key.Span, change.Value.AsArray());
        }

        return seen;
    }

    public static MemberRow? GetMember(ITreeTable table, NodeId node)
    {
        byte[]? value = table.Get(MemberKey(node));
        return value is null ? null : ReadMember(node, value);
    }

    /// <summary>Whether a key may grant, revoke, limit, create and remove now.</summary>
    public static bool IsAuthority(ITreeTable table, NodeId node) =>
        GetMember(table, node) is { Member.IsAuthority: true };

    public static void PutMember(ITreeTable table, MemberRow row)
    {
        Member member = row.Member;
        ArrayBufferWriter<byte> output = new(256);
        WireWriter writer = new(output);
        writer.LengthPrefixed(member.PublicKey.AsSpan());
        WireText.Write(writer, member.Name, TextBytesMax);
        writer.Byte((byte)member.Role);
        writer.Byte((byte)member.Standing);
        writer.Bytes32(row.ExcludedBy.Value);
        writer.Count(member.Accepted.Length);
        foreach (AcceptedPosition accepted in member.Accepted)
        {
            writer.Bytes16(accepted.Volume.Value);
            writer.UInt32(accepted.Log.Incarnation);
            writer.VarUInt(accepted.LastBlock);
        }

        table.Put(MemberKey(member.Node), output.WrittenSpan.ToArray());
    }

    public static bool HasMembers(ITreeTable table) => table.Scan([MemberTag], [MemberTag + 1]).MoveNext();

    public static IEnumerable<Member> Members(ITreeTable table)
    {
        TableCursor cursor = table.Scan([MemberTag], [MemberTag + 1]);
        while (cursor.MoveNext())
        {
            yield return ReadMember(new NodeId(cursor.Key.AsSpan(1)), cursor.Value).Member;
        }
    }

    /// <summary>Who uses a member's machine; empty: nobody in particular.</summary>
    public static void PutUser(ITreeTable table, NodeId node, string user)
    {
        ArrayBufferWriter<byte> output = new(32);
        WireText.Write(new WireWriter(output), user, TextBytesMax);
        table.Put([UserTag, .. node.Value.ToArray()], output.WrittenSpan.ToArray());
    }

    /// <summary>The members of which it was said who uses their machine.</summary>
    public static IEnumerable<KeyValuePair<NodeId, string>> Users(ITreeTable table)
    {
        TableCursor cursor = table.Scan([UserTag], [UserTag + 1]);
        while (cursor.MoveNext())
        {
            WireReader reader = new(cursor.Value);
            string user = WireText.Read(ref reader, TextBytesMax);
            Invariant.That(reader.Complete, "a row of a user");
            if (user.Length > 0)
            {
                yield return new(new NodeId(cursor.Key.AsSpan(1)), user);
            }
        }
    }

    public static VolumeRow? GetVolume(ITreeTable table, VolumeId volume)
    {
        byte[]? value = table.Get(VolumeKey(volume));
        return value is null ? null : ReadVolume(volume, value);
    }

    public static void PutVolume(ITreeTable table, VolumeRow row)
    {
        ArrayBufferWriter<byte> output = new(64);
        WireWriter writer = new(output);
        WireText.Write(writer, row.Volume.Name, TextBytesMax);
        writer.Byte(row.Volume.IsPurged ? Purged : row.Volume.IsRemoved ? Removed : Live);
        writer.Bytes32(row.Creator.Value);
        writer.LengthPrefixed(row.Volume.Options.AsSpan());
        writer.Boolean(row.Volume.IsComplete);
        writer.Count(row.Volume.Origins.Length);
        foreach (HeldSnapshot origin in row.Volume.Origins)
        {
            writer.Bytes16(origin.Volume.Value);
            writer.Bytes16(origin.Snapshot);
        }

        table.Put(VolumeKey(row.Volume.Volume), output.WrittenSpan.ToArray());
    }

    public static IEnumerable<PoolVolume> Volumes(ITreeTable table)
    {
        TableCursor cursor = table.Scan([VolumeTag], [VolumeTag + 1]);
        while (cursor.MoveNext())
        {
            VolumeId volume = VolumeOf(cursor.Key);
            yield return ReadVolume(volume, cursor.Value).Volume with { Created = GetCreated(table, volume) };
        }
    }

    /// <summary>When a volume was made, by its maker's clock: a row of its own, which an older program passes over.</summary>
    public static void PutCreated(ITreeTable table, VolumeId volume, WallTime time)
    {
        byte[] value = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(value, time.UnixNanoseconds);
        table.Put(CreatedKey(volume), value);
    }

    private static WallTime GetCreated(ITreeTable table, VolumeId volume) =>
        table.Get(CreatedKey(volume)) is { } value ? new WallTime(BinaryPrimitives.ReadInt64BigEndian(value)) : default;

    public static void PutKey(ITreeTable table, KeyGrant grant)
    {
        ArrayBufferWriter<byte> output = new(128);
        WireWriter writer = new(output);
        writer.Bytes32(grant.Granter.Value);
        writer.Raw(grant.Wrapped.AsSpan());
        table.Put(KeyKey(grant.Volume, grant.Epoch, grant.Recipient), output.WrittenSpan.ToArray());
    }

    /// <summary>Who granted a key to a member; null: nobody yet.</summary>
    public static NodeId? GranterOf(ITreeTable table, VolumeId volume, EpochId epoch, NodeId recipient) =>
        table.Get(KeyKey(volume, epoch, recipient)) is { } value ? new NodeId(value.AsSpan(0, NodeId.Size)) : null;

    public static IEnumerable<KeyGrant> Keys(ITreeTable table)
    {
        TableCursor cursor = table.Scan([KeyTag], [KeyTag + 1]);
        while (cursor.MoveNext())
        {
            ReadOnlySpan<byte> key = cursor.Key.AsSpan(1);
            ReadOnlySpan<byte> value = cursor.Value;
            yield return new KeyGrant(
                new VolumeId(key[..Bytes16.Size]),
                new EpochId(key.Slice(Bytes16.Size, Bytes16.Size)),
                new NodeId(key[(2 * Bytes16.Size)..]),
                new NodeId(value[..NodeId.Size]),
                [.. value[NodeId.Size..]]);
        }
    }

    /// <summary>Adds a limit after those of the same member.</summary>
    public static void AddLimit(ITreeTable table, LimitMember limit) =>
        Add(table, [LimitTag, .. limit.Member.Value.ToArray()], to => PoolPrimitiveCodec.EncodeLimit(to, limit));

    /// <summary>Adds a limit after those of the same volume.</summary>
    public static void AddLimit(ITreeTable table, LimitVolume limit) =>
        Add(table, [WritersTag, .. limit.Volume.Value.ToArray()], to => PoolPrimitiveCodec.EncodeLimit(to, limit));

    /// <summary>What was said of the folders of a volume, and now one thing more.</summary>
    public static void AddToFolders(ITreeTable table, VolumeId volume, Primitive said)
    {
        byte[] key = [FolderTag, .. volume.Value.ToArray()];
        ArrayBufferWriter<byte> output = new(128);
        ReadFolders(table.Get(key)).And(said).Encode(new WireWriter(output));
        table.Put(key, output.WrittenSpan.ToArray());
    }

    /// <summary>What was said of the folders of every volume of which anything was.</summary>
    public static IEnumerable<KeyValuePair<VolumeId, FolderRights>> Folders(ITreeTable table)
    {
        TableCursor cursor = table.Scan([FolderTag], [FolderTag + 1]);
        while (cursor.MoveNext())
        {
            yield return new(VolumeOf(cursor.Key), ReadFolders(cursor.Value));
        }
    }

    /// <summary>Adds what a clone says about a snapshot after what was said of the same volume.</summary>
    /// <remarks>A row each, behind one that counts them: what was said before is long, and kept for undoing when replaced.</remarks>
    public static void AddHold(ITreeTable table, VolumeId volume, SnapshotHold hold)
    {
        byte[] count = [HoldTag, .. volume.Value.ToArray()];
        uint number = table.Get(count) is { } said ? BinaryPrimitives.ReadUInt32BigEndian(said) : 0;
        byte[] next = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(next, number + 1);
        ArrayBufferWriter<byte> output = new(128);
        WireWriter to = new(output);
        to.Bytes16(hold.Snapshot);
        to.Bytes16(hold.By.Value);
        to.Boolean(hold.IsHeld);
        hold.Seen.Encode(to);
        table.Put(count, next);
        table.Put([.. count, .. next], output.WrittenSpan.ToArray());
    }

    /// <summary>What clones said about the snapshots of every volume, in the order in which it was added.</summary>
    public static IEnumerable<KeyValuePair<VolumeId, ImmutableArray<SnapshotHold>>> Holds(ITreeTable table)
    {
        TableCursor cursor = table.Scan([HoldTag], [HoldTag + 1]);
        List<SnapshotHold> said = [];
        bool isMore = cursor.MoveNext();
        while (isMore)
        {
            VolumeId volume = VolumeOf(cursor.Key);
            said.Clear();
            while ((isMore = cursor.MoveNext()) && cursor.Key.Length > 1 + Bytes16.Size)
            {
                said.Add(ReadHold(cursor.Value));
            }

            yield return new(volume, [.. said]);
        }
    }

    /// <summary>The limits of every member that has any, each member's in the order in which they were added.</summary>
    public static IEnumerable<KeyValuePair<NodeId, ImmutableArray<LimitMember>>> MemberLimits(ITreeTable table) =>
        Lists(table, LimitTag, static key => new NodeId(key.AsSpan(1)), PoolPrimitiveCodec.DecodeMemberLimit);

    /// <summary>The limits of every volume that has any, each volume's in the order in which they were added.</summary>
    public static IEnumerable<KeyValuePair<VolumeId, ImmutableArray<LimitVolume>>> VolumeLimits(ITreeTable table) =>
        Lists(table, WritersTag, VolumeOf, PoolPrimitiveCodec.DecodeVolumeLimit);

    /// <summary>The weights in force and their version, 0 before any.</summary>
    public static (ulong Version, PlacementWeights Weights) GetWeights(ITreeTable table)
    {
        byte[]? value = table.Get(WeightsKey);
        if (value is null)
        {
            return (0, PlacementWeights.None);
        }

        WireReader reader = new(value);
        ulong version = reader.UInt64();
        return (version, PlacementWeightsCodec.Decode(reader.Raw(reader.Remaining)).Value);
    }

    public static void PutWeights(ITreeTable table, ulong version, ReadOnlySpan<byte> encoded)
    {
        ArrayBufferWriter<byte> output = new(64);
        WireWriter writer = new(output);
        writer.UInt64(version);
        writer.Raw(encoded);
        table.Put(WeightsKey, output.WrittenSpan.ToArray());
    }

    /// <summary>Well-formed, non-empty UTF-8 of a length that fits, or null.</summary>
    public static string? Text(ReadOnlySpan<byte> bytes) =>
        bytes.Length is > 0 and <= TextBytesMax && System.Text.Unicode.Utf8.IsValid(bytes)
            ? Encoding.UTF8.GetString(bytes)
            : null;

    private static MemberRow ReadMember(NodeId node, byte[] value)
    {
        WireReader reader = new(value);
        ImmutableArray<byte> key = [.. reader.LengthPrefixed()];
        string name = WireText.Read(ref reader, TextBytesMax);
        MemberRole role = (MemberRole)reader.Byte();
        MemberStanding standing = (MemberStanding)reader.Byte();
        NodeId excludedBy = new(reader.Bytes32());
        int count = reader.Count(Bytes16.Size + 5);
        ImmutableArray<AcceptedPosition>.Builder accepted = ImmutableArray.CreateBuilder<AcceptedPosition>(count);
        for (int i = 0; i < count; i++)
        {
            VolumeId volume = new(reader.Bytes16());
            LogId log = new(node, reader.UInt32());
            accepted.Add(new AcceptedPosition(volume, log, reader.VarUInt()));
        }

        Invariant.That(reader.Complete, $"the row of member {node.Short}");
        Member member = new(node, key, name, role, standing, accepted.ToImmutable())
        {
            HasLeft = standing == MemberStanding.Forgotten && excludedBy == node,
        };
        return new MemberRow(member, excludedBy);
    }

    private static FolderRights ReadFolders(byte[]? value)
    {
        if (value is null)
        {
            return FolderRights.None;
        }

        WireReader reader = new(value);
        FolderRights folders = FolderRights.Decode(ref reader);
        Invariant.That(reader.Complete, "a row of folders' limits");
        return folders;
    }

    private static SnapshotHold ReadHold(byte[] value)
    {
        WireReader reader = new(value);
        SnapshotHold hold = new(
            reader.Bytes16(), new VolumeId(reader.Bytes16()), reader.Boolean(), LogPositions.Decode(ref reader));
        Invariant.That(reader.Complete, "a row of a snapshot's hold");
        return hold;
    }

    private static VolumeId VolumeOf(byte[] key) => new(key.AsSpan(1));

    /// <summary>All rows to which <see cref="Add"/> adds: what each is about, and what was added.</summary>
    private static IEnumerable<KeyValuePair<TId, ImmutableArray<T>>> Lists<TId, T>(
        ITreeTable table, byte tag, Func<byte[], TId> about, Reading<T> read)
    {
        TableCursor cursor = table.Scan([tag], [(byte)(tag + 1)]);
        while (cursor.MoveNext())
        {
            yield return new(about(cursor.Key), ReadAll(cursor.Value, read));
        }
    }

    private static void Add(ITreeTable table, byte[] key, Action<WireWriter> encode)
    {
        ArrayBufferWriter<byte> output = new(128);
        output.Write(table.Get(key) ?? []);
        encode(new WireWriter(output));
        table.Put(key, output.WrittenSpan.ToArray());
    }

    private static ImmutableArray<T> ReadAll<T>(byte[] value, Reading<T> read)
    {
        WireReader reader = new(value);
        ImmutableArray<T>.Builder all = ImmutableArray.CreateBuilder<T>();
        while (!reader.Failed && reader.Remaining > 0)
        {
            all.Add(read(ref reader));
        }

        Invariant.That(reader.Complete, "a row of limits");
        return all.ToImmutable();
    }

    private static VolumeRow ReadVolume(VolumeId volume, byte[] value)
    {
        WireReader reader = new(value);
        string name = WireText.Read(ref reader, TextBytesMax);
        byte stage = reader.Byte();
        reader.Require(stage <= Purged);
        NodeId creator = new(reader.Bytes32());
        ImmutableArray<byte> options = [.. reader.LengthPrefixed()];
        bool isComplete = reader.Boolean();
        var origins = new HeldSnapshot[reader.Count(2 * Bytes16.Size)];
        for (int i = 0; i < origins.Length; i++)
        {
            origins[i] = new HeldSnapshot(new VolumeId(reader.Bytes16()), reader.Bytes16());
        }

        Invariant.That(reader.Complete, $"the row of volume {volume}");
        PoolVolume read = new(volume, name, stage != Live)
        {
            IsPurged = stage == Purged,
            Options = options,
            IsComplete = isComplete,
            Origins = [.. origins],
        };
        return new VolumeRow(read, creator);
    }

    private static byte[] MemberKey(NodeId node) => [MemberTag, .. node.Value.ToArray()];

    private static byte[] VolumeKey(VolumeId volume) => [VolumeTag, .. volume.Value.ToArray()];

    private static byte[] CreatedKey(VolumeId volume) => [CreatedTag, .. volume.Value.ToArray()];

    private static byte[] KeyKey(VolumeId volume, EpochId epoch, NodeId recipient) =>
        [KeyTag, .. volume.Value.ToArray(), .. epoch.Value.ToArray(), .. recipient.Value.ToArray()];
}
