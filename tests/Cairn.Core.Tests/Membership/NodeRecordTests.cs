using System.Security.Cryptography;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

public sealed class NodeRecordTests
{
    /// <summary>Worked out apart from the program, by docs/formats/node-record.md; must decode for ever.</summary>
    private const string Golden =
        "02b8e107cf68ce4bc70ae57806803757dd9042846faefb88608b2227333369a134066b6579200100ac02020d62c3bc72"
        + "6f2d706320f09f96a580808080802088b4e4f4cb03010663656c6c617202066f666669636503737364030831302e312e"
        + "322e33141e07666538303a3a31141e0a70632e6578616d706c6501000100030005302e312e3015cd853dfe9c9717ac02"
        + "ea87a41c5eb3aa9c62d7b73f4411757a296106bbec92f61ee942a0ed39033ab2d9c91c924f356433e0acce42a0de4638"
        + "18e9714640afa1e5f5c17d2e5daaddfe";

    private const string GoldenV1 =
        "01b8e107cf68ce4bc70ae57806803757dd9042846faefb88608b2227333369a134066b6579200100ac02020d62c3bc72"
        + "6f2d706320f09f96a580808080802088b4e4f4cb03010663656c6c617202066f666669636503737364030831302e312e"
        + "322e33141e07666538303a3a31141e0a70632e6578616d706c6501000100030005302e312e3015cd853dfe9c9717c355"
        + "21789d80329a4851021f84363056061834e2e6388d50583b17e05ef87fda2957d403609376edc1eb7a0a53c8ad9c9f3c"
        + "b669a265c19bb862b6e8b5dcb3f6";

    private static NodeRecord Full => MemberKit.Record(1, counter: 300) with
    {
        Name = "büro-pc 🖥",
        Zone = "cellar",
        Tags = NodeRecord.SortTags(["ssd", "office", "ssd"]),
        Addresses = [new("10.1.2.3", 7700), new("fe80::1", 7700), new("pc.example", 1)],
        UsedBytes = 123_456_789_000,
        IsFull = true,
        State = NodeState.Away,
        ProtocolMin = 1,
        ProtocolMax = 3,
        Program = "0.1.0",
        Claimed = new WallTime(1_700_000_000_123_456_789),
    };

    [Fact]
    public void A_record_survives_its_bytes()
    {
        SignedNodeRecord signed = MemberKit.Sign(Full);
        SignedNodeRecord read = NodeRecordCodec.Decode(signed.Bytes.Span, MemberKit.Check).Value;
        Assert.Equal(signed, read);
        Assert.Equal(Full.Name, read.Record.Name);
        Assert.Equal(Full.Tags, read.Record.Tags);
        Assert.Equal(Full.Addresses, read.Record.Addresses);
        Assert.Equal(Full.State, read.Record.State);
        Assert.Equal(Full.Claimed, read.Record.Claimed);
        Assert.Equal(NodeRecordCodec.BytesToSign(Full), NodeRecordCodec.BytesToSign(read.Record));
    }

    [Fact]
    public void The_golden_record_decodes()
    {
        NodeRecord owing = Full with { OwedChunks = 300 };
        Assert.Equal(Golden, Convert.ToHexStringLower(MemberKit.Sign(owing).Bytes.Span));
        Assert.Equal(300, Read(Golden).OwedChunks);
        Assert.Equal(0, Read(GoldenV1).OwedChunks);
    }

    private static NodeRecord Read(string hex) =>
        NodeRecordCodec.Decode(Convert.FromHexString(hex), MemberKit.Check).Value.Record;

    [Fact]
    public void A_real_key_signs_and_any_changed_bit_is_refused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] publicKey = key.ExportSubjectPublicKeyInfo();
        NodeRecord record = Full with { PublicKey = [.. publicKey], Node = Signatures.NodeOf(publicKey) };
        byte[] signature = key.SignData(NodeRecordCodec.BytesToSign(record), HashAlgorithmName.SHA256);
        byte[] bytes = NodeRecordCodec.Seal(record, signature).Bytes.ToArray();
        SignatureCheck check = Signatures.CheckEcdsa;
        Assert.True(NodeRecordCodec.Decode(bytes, check).IsOk);
        for (int bit = 0; bit < bytes.Length * 8; bit += 37)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(NodeRecordCodec.Decode(bytes, Signatures.CheckEcdsa).IsOk, $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Each_kind_of_bad_bytes_has_its_error()
    {
        byte[] bytes = MemberKit.Sign(Full).Bytes.ToArray();
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(NodeRecordError.Malformed,
                NodeRecordCodec.Decode(bytes.AsSpan(0, length), MemberKit.Check).Error);
        }

        byte[] newer = [.. bytes];
        newer[0]++;
        Assert.Equal(NodeRecordError.NewerFormat, NodeRecordCodec.Decode(newer, MemberKit.Check).Error);
        byte[] stolen = [.. bytes];
        stolen[1] ^= 1;
        Assert.Equal(NodeRecordError.WrongKey, NodeRecordCodec.Decode(stolen, MemberKit.Check).Error);
        byte[] forged = [.. bytes];
        forged[^1] ^= 1;
        Assert.Equal(NodeRecordError.BadSignature, NodeRecordCodec.Decode(forged, MemberKit.Check).Error);
        Prng prng = new(5);
        byte[] garbage = new byte[400];
        for (int i = 0; i < 20_000; i++)
        {
            prng.Fill(garbage);
            garbage[0] = NodeRecordCodec.Version;
            Assert.False(NodeRecordCodec.Decode(garbage.AsSpan(0, prng.Next(400)), MemberKit.Check).IsOk);
        }
    }

    [Theory]
    [InlineData("127.0.0.1:80", "127.0.0.1", 80)]
    [InlineData("[fe80::1]:7700", "fe80::1", 7700)]
    [InlineData("pc.example:1", "pc.example", 1)]
    public void Addresses_read_what_they_print(string text, string host, int port)
    {
        Assert.True(NodeAddress.TryParse(text, out NodeAddress address));
        Assert.Equal(new NodeAddress(host, (ushort)port), address);
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("host")]
    [InlineData(":80")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:+1")]
    [InlineData("fe80::1:80")]
    [InlineData("[host]:80")]
    [InlineData("ho st:80")]
    [InlineData("a/b:80")]
    [InlineData("bür:80")]
    public void Other_texts_are_not_addresses(string? text) => Assert.False(NodeAddress.TryParse(text, out _));
}
