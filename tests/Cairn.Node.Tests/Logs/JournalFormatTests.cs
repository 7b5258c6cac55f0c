using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;

namespace Cairn.Node.Tests.Logs;

/// <summary>The bytes of docs/formats/volume-journal.md and garbage-mark.md; they must decode for ever.</summary>
public sealed class JournalFormatTests
{
    private const string GoldenHead =
        "01036120766F6C756D6520666F7220616C6C" + "7468652066697273742065706F636821"
        + "0005000000000000" + "0010000000000000" + "0007000000000000"
        + "6E6F7420612072756E20617420616C6C" + "2A00000000000000";

    private const string GoldenMark =
        "0101" + "1111111111111111111111111111111111111111111111111111111111111111" + "03F0A20400";

    [Fact]
    public void Head_HasItsGoldenBytes()
    {
        var entry = new JournalEntry
        {
            Volume = new VolumeId(new Bytes16("a volume for all"u8)),
            Type = JournalEntryType.Extent,
            Layer = new VersionId(new Bytes16("the first epoch!"u8)),
            Offset = 0x500,
            Length = 0x1000,
            Time = new WallTime(0x700),
        };
        byte[] head = new byte[JournalEntry.Size];
        entry.WriteBound(head);
        JournalEntry.WriteSeal(head, new Bytes16("not a run at all"u8), 42);
        Assert.Equal(GoldenHead, Convert.ToHexString(head));
        Assert.True(JournalEntry.TryRead(Convert.FromHexString(GoldenHead), out JournalEntry read));
        Assert.Equal(entry with { Run = new Bytes16("not a run at all"u8), Nonce = 42 }, read);
        Assert.False(JournalEntry.TryRead(head.AsSpan(1), out _));
        head[1] = 99;
        Assert.False(JournalEntry.TryRead(head, out _));
    }

    [Fact]
    public void Mark_HasItsGoldenBytes()
    {
        var author = new NodeId(new Bytes32(Convert.FromHexString(new string('1', 64))));
        var id = new TransactionId(new LogId(author, 3), 70_000);
        Assert.Equal(GoldenMark, Convert.ToHexString(new GarbageMark([id], []).ToPrimitive(author).Rule.Span));
        Assert.Equal([id], GarbageMark.Decode(Convert.FromHexString(GoldenMark))!.Acknowledged);
    }
}
