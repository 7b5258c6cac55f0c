using System.Buffers;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Checkpoints;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Fold;

public sealed class CheckpointTests
{
    private static readonly VolumeId Volume = new(new byte[VolumeId.Size]);

    [Fact]
    public void The_same_cut_has_the_same_bytes_on_every_node_and_a_newcomer_goes_on_from_it()
    {
        for (ulong seed = 1; seed <= 60; seed++)
        {
            Run(seed);
        }
    }

    private static void Run(ulong seed)
    {
        var random = new Prng(seed);
        Replica[] replicas = [.. Enumerable.Range(1, 3).Select(n => new Replica((byte)n, seed))];
        var contents = new Dictionary<string, byte>();
        LogPositions? cut = null;
        for (int step = 0; step < 80; step++)
        {
            Replica replica = replicas[random.Next(3)];
            if (random.Chance(4))
            {
                replica.Receive(replicas[random.Next(3)]);
            }

            new RandomEdits(replica, random, contents).Next(step);
            if (step == 40)
            {
                Replica.Sync(replicas);
                cut = replica.Fold.Positions;
            }
        }

        Replica.Sync(replicas);
        List<KeyValuePair<LogId, ChainTip>> tips = Tips(cut!);
        byte[] bytes = Written(replicas[0], tips);
        Assert.Equal(bytes, Written(replicas[1], tips));
        replicas[2].Fold.Prune(cut!);
        Assert.Equal(bytes, Written(replicas[2], tips));
        List<KeyValuePair<LogId, ChainTip>> ends = Tips(replicas[0].Fold.Positions);
        Assert.Equal(Written(replicas[0], ends), Written(replicas[2], ends));
        var table = new MemoryTable();
        Assert.Equal(tips, Checkpoint.Read(bytes, Volume, table).Value);
        var fold = new OrderedFold(table, new TreeApplier());
        Assert.Equal(cut, fold.Positions);
        fold.Receive([.. replicas.SelectMany(replica => replica.Written)]);
        Assert.Equal(0, fold.WaitingCount);
        Assert.Equal(replicas[0].State(), State(fold.Table));
    }

    [Fact]
    public void A_cut_that_cannot_be_had_is_refused()
    {
        var a = new Replica(1);
        a.Create("x");
        a.Create("y");
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(
            CheckpointError.CutNotHeld, Checkpoint.Write(a.Fold, Volume, [new(a.Log, Tip(3))], output).Error);
        var b = new Replica(2);
        b.Create("z");
        a.Receive(b);
        Assert.Equal(
            CheckpointError.CutNotStable, Checkpoint.Write(a.Fold, Volume, [new(a.Log, Tip(2))], output).Error);
        a.Fold.Prune(a.Fold.Positions);
        Assert.Equal(
            CheckpointError.CutTooOld, Checkpoint.Write(a.Fold, Volume, [new(a.Log, Tip(1))], output).Error);
        Assert.Equal(0, output.WrittenCount);
    }

    [Fact]
    public void Damage_is_noticed()
    {
        var a = new Replica(1);
        a.Create("x", "content");
        byte[] bytes = Written(a, [new(a.Log, Tip(1))]);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(Checkpoint.Read(bytes.AsSpan(0, length), Volume, new MemoryTable()).IsOk);
        }

        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Checkpoint.Read(bytes, Volume, new MemoryTable()).IsOk);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(
            CheckpointError.WrongVolume,
            Checkpoint.Read(bytes, new VolumeId(Enumerable.Repeat((byte)1, 16).ToArray()), new MemoryTable()).Error);
        Assert.True(Checkpoint.Read(bytes, Volume, new MemoryTable()).IsOk);
    }

    private static List<KeyValuePair<LogId, ChainTip>> Tips(LogPositions cut) =>
        [.. cut.Logs.Select(log => KeyValuePair.Create(log.Key, Tip(log.Value.TransactionSeq)))];

    private static ChainTip Tip(ulong seq) => new(seq, default, seq);

    private static byte[] Written(Replica replica, IReadOnlyList<KeyValuePair<LogId, ChainTip>> tips)
    {
        byte[] state = replica.State();
        var output = new ArrayBufferWriter<byte>();
        Assert.True(Checkpoint.Write(replica.Fold, Volume, tips, output).IsOk);
        Assert.Equal(state, replica.State());
        return output.WrittenSpan.ToArray();
    }

    private static byte[] State(ITreeTable table)
    {
        var bytes = new List<byte>();
        TableCursor cursor = table.Scan([], [FoldKeys.Reserved]);
        while (cursor.MoveNext())
        {
            bytes.AddRange(BitConverter.GetBytes(cursor.Key.Length));
            bytes.AddRange(cursor.Key);
            bytes.AddRange(cursor.Value);
        }

        return [.. bytes];
    }
}
