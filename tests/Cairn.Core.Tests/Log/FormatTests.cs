using System.Buffers;
using System.Collections.Immutable;
using System.Reflection;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Log;

/// <summary>The bytes of logs: golden, round trips, and anything but them.</summary>
public sealed class FormatTests
{
    [Fact]
    public void The_golden_transaction_decodes_for_ever()
    {
        byte[] golden = Golden.Read("transaction-v1");
        Transaction everything = Samples.Everything();
        Transaction then = everything with
        {
            // What came after the golden bytes were made.
            Primitives = [.. everything.Primitives
                .Where(primitive => primitive is not (RecoverMember or SweepKept or LimitMember or LimitVolume
                    or LimitFolder or RenewMark or ReplaceMark or CloneVolume or CompleteClone or RemoveClone
                    or Repeats or VouchCheckpoint or AssignUser or PurgeVolume or SettleCheckpoint))],
        };
        Assert.Equal(Convert.ToHexString(golden), Convert.ToHexString(TransactionCodec.Encode(then)));
        Assert.Equal(golden, TransactionCodec.Encode(TransactionCodec.Decode(golden).Value));
    }

    [Theory]
    [InlineData("limit-member-v1", PrimitiveKind.LimitMember)]
    [InlineData("limit-volume-v1", PrimitiveKind.LimitVolume)]
    [InlineData("limit-folder-v1", PrimitiveKind.LimitFolder)]
    [InlineData("renew-mark-v1", PrimitiveKind.RenewMark)]
    [InlineData("replace-mark-v1", PrimitiveKind.ReplaceMark)]
    [InlineData("clone-volume-v1", PrimitiveKind.CloneVolume)]
    [InlineData("complete-clone-v1", PrimitiveKind.CompleteClone)]
    [InlineData("remove-clone-v1", PrimitiveKind.RemoveClone)]
    [InlineData("repeats-v1", PrimitiveKind.Repeats)]
    [InlineData("vouch-checkpoint-v1", PrimitiveKind.VouchCheckpoint)]
    [InlineData("assign-user-v1", PrimitiveKind.AssignUser)]
    [InlineData("purge-volume-v1", PrimitiveKind.PurgeVolume)]
    [InlineData("settle-checkpoint-v1", PrimitiveKind.SettleCheckpoint)]
    public void The_golden_primitives_decode_for_ever(string name, PrimitiveKind kind)
    {
        byte[] golden = Golden.Read(name);
        Transaction limit = Samples.Everything() with
        {
            Primitives = [.. Samples.EveryPrimitive().Where(primitive => primitive.Kind == kind)],
        };
        Assert.Equal(Convert.ToHexString(golden), Convert.ToHexString(TransactionCodec.Encode(limit)));
        Assert.Equal(golden, TransactionCodec.Encode(TransactionCodec.Decode(golden).Value));
    }

    [Fact]
    public void The_golden_block_decodes_for_ever()
    {
        byte[] golden = Golden.Read("log-block-v1");
        Assert.Equal(Convert.ToHexString(golden), Convert.ToHexString(LogBlockCodec.Encode(Samples.Block())));
        LogBlock block = LogBlockCodec.Decode(golden).Value;
        Assert.Equal(Samples.Block().Payload.ToArray(), block.Payload.ToArray());
        Assert.Equal(Samples.Block().Signature.ToArray(), block.Signature.ToArray());
        Assert.Equal(golden, LogBlockCodec.Encode(block));
        Assert.Equal(
            "3e36c11fa745d4ab", LogBlockCodec.Hash(golden).ToString()[..16]);
    }

    [Fact]
    public void Every_primitive_has_a_tag_of_its_own_a_sample_and_a_codec()
    {
        Type[] kinds = [.. typeof(Primitive).Assembly.GetTypes().Where(type => type.BaseType == typeof(Primitive))];
        Assert.All(kinds, kind => Assert.True(kind.IsSealed));
        Assert.Empty(typeof(Primitive).GetConstructors(BindingFlags.Public | BindingFlags.Instance));
        ImmutableArray<Primitive> samples = Samples.EveryPrimitive();
        Assert.Equal(
            kinds.Select(kind => kind.Name).Order(), samples.Select(sample => sample.GetType().Name).Distinct()
                .Order());
        Assert.Equal(
            Enum.GetValues<PrimitiveKind>().Order(), samples.Select(sample => sample.Kind).Distinct().Order());
        Assert.All(samples, sample => Assert.Equal(sample.GetType().Name, sample.Kind.ToString()));
        foreach (Primitive sample in samples)
        {
            byte[] bytes = TransactionCodec.Encode(Samples.Everything() with { Primitives = [sample] });
            Transaction read = TransactionCodec.Decode(bytes).Value;
            Assert.Equal(sample.GetType(), read.Primitives[0].GetType());
            Assert.Equal(bytes, TransactionCodec.Encode(read));
        }
    }

    [Fact]
    public void A_run_of_transactions_says_its_author_once()
    {
        Transaction first = Samples.Everything();
        Transaction second = first with { Id = first.Id with { Seq = 13 }, Dependencies = [] };
        var output = new ArrayBufferWriter<byte>();
        TransactionCodec.EncodeRun([first, second], output);
        ImmutableArray<Transaction> read = TransactionCodec.DecodeRun(output.WrittenSpan, first.Id).Value;
        Assert.Equal(TransactionCodec.Encode(first), TransactionCodec.Encode(read[0]));
        Assert.Equal(TransactionCodec.Encode(second), TransactionCodec.Encode(read[1]));
        EveryDamage(output.WrittenSpan.ToArray(), bytes => TransactionCodec.DecodeRun(bytes, first.Id).IsOk,
            mayBeOther: true);
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_of_a_transaction_is_an_error_or_another_transaction()
    {
        EveryDamage(
            TransactionCodec.Encode(Samples.Everything()),
            bytes =>
            {
                Result<Transaction, LogError> read = TransactionCodec.Decode(bytes);
                if (read.IsOk)
                {
                    Assert.Equal(bytes, TransactionCodec.Encode(read.Value));
                }

                return read.IsOk;
            },
            mayBeOther: true);
    }

    [Fact]
    public void Every_cut_and_every_flipped_bit_of_a_block_is_an_error_or_another_block()
    {
        EveryDamage(
            LogBlockCodec.Encode(Samples.Block()),
            bytes =>
            {
                Result<LogBlock, LogError> read = LogBlockCodec.Decode(bytes);
                if (read.IsOk)
                {
                    Assert.Equal(bytes, LogBlockCodec.Encode(read.Value));
                    Assert.False(LogBlockCodec.SignedBytes(bytes).IsEmpty);
                }

                return read.IsOk;
            },
            mayBeOther: true);
    }

    [Fact]
    public void Random_bytes_are_an_error()
    {
        var random = new Prng(3);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = new byte[random.Next(400)];
            random.Fill(bytes);
            if (bytes.Length > 5 && random.Chance(2))
            {
                bytes[0] = TransactionCodec.FormatVersion;
            }

            Assert.False(TransactionCodec.Decode(bytes).IsOk);
            Assert.False(LogBlockCodec.Decode(bytes).IsOk);
            _ = TransactionCodec.DecodeRun(bytes, new TransactionId(Samples.Log, 1));
        }
    }

    [Fact]
    public void Errors_say_what_is_wrong()
    {
        byte[] transaction = TransactionCodec.Encode(
            Samples.Everything() with { Primitives = [new NameAuthor(default)] });
        Assert.Equal(LogError.Malformed, TransactionCodec.Decode([]).Error);
        transaction[0] = 2;
        Assert.Equal(LogError.NewerFormat, TransactionCodec.Decode(transaction).Error);
        transaction[0] = 1;
        transaction[^2] = 0xEE;
        Assert.Equal(LogError.UnknownPrimitive, TransactionCodec.Decode(transaction).Error);
        byte[] block = LogBlockCodec.Encode(Samples.Block());
        block[4] = 2;
        Assert.Equal(LogError.NewerFormat, LogBlockCodec.Decode(block).Error);
        Assert.Equal(LogError.TooLarge, LogBlockCodec.Decode(new byte[LogBlock.EncodedBytesMax + 1]).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    public void A_name_that_no_entry_can_have_is_an_error(string name)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(name);
        Assert.False(EntryName.IsValid(bytes));
        byte[] encoded = TransactionCodec.Encode(
            Samples.Everything() with { Primitives = [new Place(default, bytes, Samples.Object(1), null)] });
        Assert.Equal(LogError.Malformed, TransactionCodec.Decode(encoded).Error);
    }

    [Fact]
    public void Positions_are_canonical()
    {
        LogPositions positions = LogPositions.From(
            [new(Samples.Log, new LogPosition(1, 2)), new(Samples.Other, new LogPosition(3, 4))]);
        var output = new ArrayBufferWriter<byte>();
        positions.Encode(new WireWriter(output));
        byte[] bytes = output.WrittenSpan.ToArray();
        var reader = new WireReader(bytes);
        Assert.Equal(positions, LogPositions.Decode(ref reader));
        Assert.True(reader.Complete);
        EveryDamage(
            bytes,
            damaged =>
            {
                var damagedReader = new WireReader(damaged);
                LogPositions.Decode(ref damagedReader);
                return damagedReader.Complete;
            },
            mayBeOther: true);
        byte[] swapped = [bytes[0], .. bytes[36..], .. bytes[1..36]];
        reader = new WireReader(swapped);
        LogPositions.Decode(ref reader);
        Assert.True(reader.Failed);
        Assert.Equal(new LogPosition(3, 4), positions[Samples.Other]);
        Assert.True(positions.Covers(positions.Meet(LogPositions.Empty)));
        Assert.Equal(new LogPosition(9, 9), positions.With(Samples.Log, new LogPosition(9, 9))[Samples.Log]);
    }

    [Fact]
    public void Positions_of_two_join_log_by_log()
    {
        LogPositions one = LogPositions.Empty.With(Samples.Log, new LogPosition(3, 30));
        LogPositions two = LogPositions.Empty.With(Samples.Log, new LogPosition(2, 20))
            .With(Samples.Other, new LogPosition(5, 50));
        LogPositions joined = one.Join(two);
        Assert.Equal(one.With(Samples.Other, new LogPosition(5, 50)), joined);
        Assert.Equal(joined, two.Join(one));
        Assert.Equal((5, 1, 0), (joined.BlocksBeyond(one), one.BlocksBeyond(two), one.BlocksBeyond(joined)));
        Assert.Equal([(Samples.Other, 0UL, 5UL)], joined.Beyond(one));
        Assert.Equal([(Samples.Log, 2UL, 3UL)], one.Beyond(two));
        Assert.Empty(one.Beyond(joined));
    }

    private static void EveryDamage(byte[] good, Func<byte[], bool> decodes, bool mayBeOther)
    {
        Assert.True(decodes(good));
        for (int length = 0; length < good.Length; length++)
        {
            Assert.False(decodes(good[..length]), $"decoded when cut at {length}");
        }

        Assert.False(decodes([.. good, 0]));
        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] flipped = [.. good];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(!decodes(flipped) || mayBeOther);
        }
    }
}
