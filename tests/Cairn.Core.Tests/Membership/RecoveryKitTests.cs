using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

public sealed class RecoveryKitTests
{
    /// <summary>Made by version 1, and worked out apart from the program; it must be readable for ever.</summary>
    private const string Golden =
        "0404R-0820C-20A1G-7104G-M2RC1-M70Y4-34CNK-6ET39\n"
        + "D9NPR-VBEDX-R72WK-KEHTQ-CXVRF-5X7PZ-3XFSZ-R10C2\n"
        + "GC10P-C9G5R-S30BH-K60Q3-8C0M3-R570R-SECNW-62VBG\n"
        + "DHJG2-05DSD-6XJ";

    private static readonly RecoveryKit Kit = new(
        new PoolId(Enumerable.Range(1, 16).Select(i => (byte)i).ToArray()),
        new Bytes32([.. Enumerable.Range(100, 32).Select(i => (byte)i)]),
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
    public void The_golden_kit_decodes()
    {
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
}
