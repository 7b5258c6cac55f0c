using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Core.Tests.Rules;

public sealed class RuleTests
{
    /// <summary>docs/formats/rule.md; must decode for ever.</summary>
    private const string Golden =
        "01" + "010106" + "02020401" + "0309" + "02" + "03" + "686464" + "03" + "737364" + "0401" + "00"
        + "060100" + "070102" + "0802ac02" + "0a0101" + "fa03" + "010203";

    private static readonly Rule Full = new()
    {
        Copies = 6,
        Coding = new CodingRule(4, 1),
        RequiredTags = ["hdd", "ssd"],
        ForbiddenTags = [],
        SpreadOverZones = false,
        Cache = CacheMode.Never,
        Keep = new Retention(300, 0, 0),
        Conflicts = new ConflictRule(ConflictMode.Newest),
        Unknown = [new RuleField(0xFA, [1, 2, 3])],
    };

    [Fact]
    public void The_golden_rule_decodes_and_keeps_what_it_does_not_know()
    {
        Assert.Equal(Golden, Convert.ToHexStringLower(RuleCodec.Encode(Full)));
        Rule read = RuleCodec.Decode(Convert.FromHexString(Golden)).Value;
        Assert.Equal(Golden, Convert.ToHexStringLower(RuleCodec.Encode(read)));
        Assert.Equal(6, read.Copies);
        Assert.Null(read.Zones);
        Assert.Equal(new Retention(300, 0, 0), read.Keep);
        Assert.Equal(new byte[] { 1 }, RuleCodec.Encode(Rule.Empty));
    }

    [Fact]
    public void A_rule_inherits_what_it_leaves_unsaid()
    {
        Rule folder = new() { Copies = 2, RequiredTags = ["ssd"] };
        Rule file = new() { Copies = 6, Zones = ["home"] };
        Rule resolved = Rule.Resolve([folder, Rule.Empty, file]);
        Assert.Equal(6, resolved.Copies);
        Assert.Equal(["ssd"], resolved.RequiredTags!.Value);
        Assert.Equal(CacheMode.Auto, resolved.Cache);
        Assert.Equal(["home"], resolved.Zones!.Value);
        Assert.Equal(4, Rule.Resolve([]).Copies);
        Assert.Null(Rule.Default.FindProblem());
    }

    [Theory]
    [InlineData("keep-both", "010a0100")]
    [InlineData("newest", "010a0101")]
    [InlineData("prefer-node desk,lap", "010d0a02086465736b2c6c6170")]
    [InlineData("merge-text", "010d020300")]
    public void Ways_to_end_conflicts_are_written_and_read(string text, string bytes)
    {
        Rule rule = new() { Conflicts = ConflictRule.Parse(text) };
        Assert.Equal(text, rule.Conflicts.ToString());
        Assert.Equal(bytes, Convert.ToHexStringLower(RuleCodec.Encode(rule)));
        Assert.Equal(rule.Conflicts, RuleCodec.Decode(Convert.FromHexString(bytes)).Value.Conflicts);
    }

    [Fact]
    public void A_preferred_person_is_written_with_the_machines_that_are_theirs()
    {
        const string Golden =
            "010e2704616e6e6121306130613061306130613061306130612c30623062306230623062306230623062";
        ConflictRule anna = ConflictRule.Parse("prefer-user anna")!.Value;
        Assert.NotNull(new Rule { Conflicts = anna }.FindProblem());
        NodeId[] machines = [.. new byte[] { 0x0B, 0x0A }.Select(
            value => new NodeId(Enumerable.Repeat(value, NodeId.Size).ToArray()))];
        Rule rule = new() { Conflicts = anna.With(machines) };
        Assert.Equal(Golden, Convert.ToHexStringLower(RuleCodec.Encode(rule)));
        Assert.Equal(rule.Conflicts, RuleCodec.Decode(Convert.FromHexString(Golden)).Value.Conflicts);
    }

    [Theory]
    [InlineData("")]
    [InlineData("prefer-user")]
    [InlineData("oldest")]
    [InlineData("prefer-node")]
    [InlineData("prefer-node  , ")]
    public void Other_ways_to_end_conflicts_are_refused(string text) => Assert.Null(ConflictRule.Parse(text));

    [Fact]
    public void Impossible_rules_are_named()
    {
        Rule[] bad =
        [
            new() { Copies = 0 },
            new() { Copies = PlacementPolicy.CopiesMax + 1 },
            new() { Coding = new CodingRule(0, 2) },
            new() { Keep = new Retention(-1, 0, 0) },
            new() { RequiredTags = ["b", "a"] },
            new() { ForbiddenTags = [string.Empty] },
            new() { Zones = ["a", "a"] },
        ];
        Assert.All(bad, rule => Assert.NotNull(rule.FindProblem()));
    }

    [Fact]
    public void Bad_bytes_have_their_errors()
    {
        byte[] bytes = Convert.FromHexString(Golden);
        Assert.Equal(RuleError.Malformed, RuleCodec.Decode([]).Error);
        Assert.Equal(RuleError.NewerFormat, RuleCodec.Decode([2]).Error);
        Assert.Equal(RuleError.Malformed, RuleCodec.Decode(bytes.AsSpan(0, bytes.Length - 1)).Error);
        Assert.Equal(RuleError.Malformed, RuleCodec.Decode(Convert.FromHexString("01010106010106")).Error);
        Assert.Equal(RuleError.Malformed, RuleCodec.Decode(Convert.FromHexString("01010100")).Error);
        Assert.Equal(RuleError.Malformed, RuleCodec.Decode(Convert.FromHexString("01070103")).Error);
        Prng prng = new(1);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] garbage = [.. bytes];
            garbage[1 + prng.Next(bytes.Length - 1)] = (byte)prng.Next(256);
            if (RuleCodec.Decode(garbage).TryGet(out Rule? rule, out _))
            {
                Assert.Equal(garbage, RuleCodec.Encode(rule));
            }
        }
    }
}
