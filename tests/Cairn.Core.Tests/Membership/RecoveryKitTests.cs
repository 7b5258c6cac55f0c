using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

public sealed class RecoveryKitTests
{
    /// <summary>Of version 1, and worked out apart from the program; it must be readable for ever.</summary>
    private const string GoldenWithoutPin =
        "0404R-0820C-20A1G-7104G-M2RC1-M70Y4-34CNK-6ET39\n"
        + "D9NPR-VBEDX-R72WK-KEHTQ-CXVRF-5X7PZ-3XFSZ-R10C2\n"
        + "GC10P-C9G5R-S30BH-K60Q3-8C0M3-R570R-SECNW-62VBG\n"
        + "DHJG2-05DSD-6XJ";

    /// <summary>The same with a pin, of version 2.</summary>
    private const string Golden =
        "0806R-0820C-20A1G-7104G-M2RC1-M70Y4-34CNK-6ET39\n"
        + "D9NPR-VBEDX-R72WK-KEHTQ-CXVRF-5X7PZ-3XFSZ-R10C2\n"
        + "GF7HZ-3G6BD-049EN-GNG1D-PNRXK-P6PHK-MCPK2-TRF8J\n"
        + "TZJW8-3QF82-A0E0G-B64R2-WCHG5-RSK0B-HM60A-1W2KG\n"
        + "CCQ6A-Y31DN-R6RS8-103HE-7SXF";

    private static readonly PoolId Pool = new(Bytes(1, PoolId.Size));

    private static readonly NodeId Founder = new(Bytes(200, NodeId.Size));

    private static readonly RecoveryKit Kit = new(
        Pool,
        new Bytes32(Bytes(100, Bytes32.Size)),
        PoolPin.Of(Pool, Founder, Bytes(32, 32)),
        [new NodeAddress("10.20.30.40", 7700), new NodeAddress("pc.example", 1)]);

    [Fact]
    public void A_kit_reads_what_it_prints_with_comments_and_other_line_ends()
    {
        Assert.Equal(Kit, RecoveryKit.Parse(Kit.ToString()).Value);
        string printed = "# Cairn recovery kit: keep it secret!\r\n"
            + Kit.ToString().Replace("\n", "\r\n", StringComparison.Ordinal);
        Assert.Equal(Kit, RecoveryKit.Parse(printed.ToLowerInvariant()).Value);
        RecoveryKit bare = Kit with { Addresses = [] };
        Assert.Equal(bare, RecoveryKit.Parse(bare.ToString()).Value);
    }

    [Fact]
    public void A_pin_is_of_one_pool_one_founder_and_one_secret()
    {
        Assert.NotEqual(Kit.Pin, PoolPin.Of(new PoolId(Bytes(2, PoolId.Size)), Founder, Bytes(32, 32)));
        Assert.NotEqual(Kit.Pin, PoolPin.Of(Pool, new NodeId(Bytes(201, NodeId.Size)), Bytes(32, 32)));
        Assert.NotEqual(Kit.Pin, PoolPin.Of(Pool, Founder, Bytes(33, 32)));
    }

    [Fact]
    public void The_golden_kits_decode()
    {
        RecoveryKit withoutPin = Kit with { Pin = null };
        Assert.Equal(GoldenWithoutPin, withoutPin.ToString());
        Assert.Equal(withoutPin, RecoveryKit.Parse(GoldenWithoutPin).Value);
        Assert.Equal(Golden, Kit.ToString());
        Assert.Equal(Kit, RecoveryKit.Parse(Golden).Value);
    }

    [Fact]
    public void Damage_is_named()
    {
        string text = Kit.ToString();
        Assert.Equal(RecoveryKitError.Empty, RecoveryKit.Parse(null).Error);
        Assert.Equal(RecoveryKitError.Empty, RecoveryKit.Parse("# only words\n\n").Error);
        for (int length = 1; length < text.Length; length++)
        {
            Assert.Equal(RecoveryKitError.Truncated, RecoveryKit.Parse(text[..length]).Error);
        }

        Assert.Equal(RecoveryKitError.Garbled, RecoveryKit.Parse(text + "0").Error);
        Assert.Equal(RecoveryKitError.Garbled, RecoveryKit.Parse("?" + text).Error);
        Assert.Equal(RecoveryKitError.NewerFormat, RecoveryKit.Parse("Z" + text[1..]).Error);
        for (int i = 0; i < text.Length; i++)
        {
            char other = text[i] == 'A' ? 'B' : 'A';
            Assert.True(text[i] is '-' or '\n' || !RecoveryKit.Parse(text[..i] + other + text[(i + 1)..]).IsOk
                , $"digit {i}");
        }
    }

    private static byte[] Bytes(int first, int count) => [.. Enumerable.Range(first, count).Select(i => (byte)i)];
}
