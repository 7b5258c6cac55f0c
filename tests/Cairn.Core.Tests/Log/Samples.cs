using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Log;

/// <summary>One of everything, with fixed bytes.</summary>
internal static class Samples
{
    internal static readonly LogId Log = new(new NodeId(Bytes(0xA0, NodeId.Size)), 3);
    internal static readonly LogId Other = new(new NodeId(Bytes(0xB0, NodeId.Size)), 1);

    internal static byte[] Bytes(byte first, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (byte)(first + i))];

    internal static ObjectId Object(byte first) => new(Bytes(first, ObjectId.Size));

    internal static VersionId Version(byte first) => new(Bytes(first, VersionId.Size));

    internal static ImmutableArray<Primitive> EveryPrimitive()
    {
        var volume = new VolumeId(Bytes(0x70, VolumeId.Size));
        ChunkAddress address = new(Bytes(0x50, ChunkAddress.Size));
        byte[] name = "name"u8.ToArray();
        byte[] odd = [0xFF, 0x0A, 0xF0];
        return
        [
            new CreateObject(Object(1), TreeKind.SymbolicLink, 0x1FF, 1000, 100, 0, new WallTime(-1), "to"u8.ToArray()),
            new CreateObject(Object(2), TreeKind.BlockDevice, 0x1B6, uint.MaxValue, 0, 0x801, new WallTime(1), default),
            new Place(Object(3), name, Object(4), null),
            new Place(Object(3), odd, Object(4), new Predecessor(Object(5), [Version(6), Version(7)])),
            new Unplace(Object(3), name, Object(4), [Version(6)]),
            new Move(Object(4), Object(3), name, Object(8), odd, new Predecessor(Object(9), [])),
            new Exchange(Object(1), Object(2), name, Object(3), Object(4), odd),
            new WriteVersion(Object(4), Version(8), [Version(6)], 1L << 40, 4096, new WallTime(5), Bytes(1, 40)),
            new SetAttributes(Object(4), default, 0x1ED, null, 7, null),
            new SetAttributes(Object(4), Version(8), null, 1, null, new WallTime(long.MinValue)),
            new SetExtendedAttribute(Object(4), "user.a"u8.ToArray(), Array.Empty<byte>()),
            new SetExtendedAttribute(Object(4), "user.a"u8.ToArray(), null),
            new DiscardHeads(Object(4), [Version(6), Version(8)]),
            new NameAuthor("host"u8.ToArray()),
            new SetRule(Object(4), Bytes(9, 5)),
            new Snapshot(Bytes16(0x11), Object(4), name),
            new SweepKept(Bytes(0x1C, 3), Bytes(0x1D, 4)),
            new GrantMember(Other.Author, 1, Bytes(0x30, 91), name),
            new RevokeMember(Other.Author, [new AcceptedTail(volume, 2, 300)]),
            new RecoverMember(Other.Author, Bytes(0x30, 91), name, Other.Author, Bytes(6, 64)),
            new AssignUser(Other.Author, "anna"u8.ToArray()),
            new LimitMember(
                Other.Author, false, [new SeenLogs(volume, LogPositions.From([new(Other, new LogPosition(2, 500))]))]),
            new LimitVolume(
                volume, [Log.Author, Other.Author], LogPositions.From([new(Other, new LogPosition(2, 500))])),
            new LimitVolume(volume, null, LogPositions.Empty),
            new LimitFolder(
                volume, new ObjectId(Bytes(0x33, ObjectId.Size)), FolderAccess.Only, [Log.Author, Other.Author],
                LogPositions.From([new(Other, new LogPosition(2, 500))]), new TransactionId(Log, 9)),
            new LimitFolder(
                volume, new ObjectId(Bytes(0x33, ObjectId.Size)), FolderAccess.Inherit, [], LogPositions.Empty,
                new TransactionId(Log, 10)),
            new RenewMark(
                volume, LogPositions.From([new(Other, new LogPosition(2, 500))]), new TransactionId(Log, 9),
                [new TransactionId(Other, 77)]),
            new ReplaceMark(volume, new TransactionId(Other, 77), new TransactionId(Log, 10)),
            new CloneVolume(
                volume, name,
                [
                    new CloneOrigin(
                        new VolumeId(Bytes(0x71, VolumeId.Size)), Bytes16(0x11),
                        LogPositions.From([new(Other, new LogPosition(2, 500))])),
                ]),
            new CompleteClone(volume),
            new RemoveClone(volume, [new SeenLogs(new VolumeId(Bytes(0x71, VolumeId.Size)), LogPositions.Empty)]),
            new CreateVolume(volume, name, Bytes(3, 3)),
            new RemoveVolume(volume),
            new PurgeVolume(volume),
            new RenameVolume(volume, name),
            new GrantKey(volume, new EpochId(Bytes(0x20, EpochId.Size)), Other.Author, Bytes(4, 60)),
            new PublishWeights(9, Bytes(5, 12)),
            new Condemn(
                LogPositions.From([new(Other, new LogPosition(2, 500))]), [Object(1)],
                [new VersionRef(Object(4), Version(6))], [address], [new TransactionId(Other, 77)]),
            new Rescue([address]),
            new Exclude(Other.Author, true),
            new Repeats([new TransactionId(Other, 77)]),
            new VouchCheckpoint(volume, Made()),
            new SettleCheckpoint(volume, Made(), true),
        ];
    }

    internal static Transaction Everything() => new(
        new TransactionId(Log, 12), [new TransactionId(Other, 400)], new WallTime(1_700_000_000_000_000_000),
        EveryPrimitive());

    internal static LogBlock Block() => new(
        new VolumeId(Bytes(0x70, VolumeId.Size)), Log, 5, 12, 14, new BlockHash(Bytes(0x40, BlockHash.Size)),
        new EpochId(Bytes(0x20, EpochId.Size)), Bytes(0x99, 70), Bytes(0xC0, LogBlock.SignatureSize));

    private static MadeCheckpoint Made() =>
        new(50_000, 150_003, new Bytes32(Bytes(0x60, 32)), new Bytes32(Bytes(0x61, 32)));

    private static Bytes16 Bytes16(byte first) => new(Bytes(first, Primitives.Bytes16.Size));
}
