using System.Buffers;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Core.Tests.Log;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Fold;

/// <summary>
/// The bytes of a state: every node of every version must make the same, or checkpoints cannot be compared.
/// </summary>
public sealed class CheckpointGoldenTests
{
    [Fact]
    public void The_golden_checkpoint_is_made_again() =>
        Assert.Equal(Convert.ToHexString(Golden.Read("checkpoint-v3")), Convert.ToHexString(Make()));

    /// <summary>
    /// In the first, superseded versions do not say when they were replaced; in the first two nothing is kept for
    /// snapshots.
    /// </summary>
    [Theory]
    [InlineData("checkpoint-v1")]
    [InlineData("checkpoint-v2")]
    [InlineData("checkpoint-v3")]
    public void Golden_checkpoints_are_read_for_ever(string name)
    {
        var table = new MemoryTable();
        Assert.True(Checkpoint.Read(Golden.Read(name), default, table).IsOk);
        var queries = new TreeQueries(table);
        Assert.Equal(6, queries.List(TreeQueries.Root, default, 10).Count);
        SupersededVersion past = Assert.Single(queries.SupersededVersions());
        Assert.True(past.At >= past.Version.Written);
    }

    /// <summary>A state with one of every kind of record.</summary>
    internal static byte[] Make()
    {
        var a = new Replica(1);
        var b = new Replica(2);
        ObjectId id = a.Create("doc", "base");
        a.MakeDirectory("d");
        a.Create("d/gone", "x");
        a.Unlink("d/gone");
        var link = new NewObject(new ObjectId(a.Fresh()), 0x1FF, 0, 0, default);
        a.Do(a.Edits.Symlink(default, "link"u8.ToArray(), "doc"u8.ToArray(), link));
        var node = new NewObject(new ObjectId(a.Fresh()), 0x1B6, 0, 0, default);
        a.Do(a.Edits.MakeNode(default, "null"u8.ToArray(), TreeKind.CharacterDevice, 259, node));
        a.Do(a.Edits.SetExtendedAttribute(id, "user.x"u8.ToArray(), "v"u8.ToArray(), AttributeMode.Any));
        a.Do(new Primitive[]
        {
            new NameAuthor("host"u8.ToArray()), new SetRule(id, Samples.Bytes(1, 3)), new Exclude(b.Log.Author, true),
            new Snapshot(default, default, "s"u8.ToArray()),
            new Condemn(LogPositions.Empty, [], [], [new ChunkAddress(Samples.Bytes(0, 32))], []),
        }.ToImmutable());
        Replica.Sync(a, b);
        a.Write("doc", "A");
        b.Write("doc", "B");
        a.MakeDirectory("same");
        b.MakeDirectory("same");
        Replica.Sync(a, b);
        var output = new ArrayBufferWriter<byte>();
        Assert.True(Checkpoint.Write(
            a.Fold, default,
            [.. a.Fold.Positions.Logs.Select(log =>
                KeyValuePair.Create(log.Key, new ChainTip(1, default, log.Value.TransactionSeq)))],
            output).IsOk);
        return output.WrittenSpan.ToArray();
    }
}
