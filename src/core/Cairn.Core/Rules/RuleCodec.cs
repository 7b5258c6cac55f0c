using System.Buffers;
using System.Collections.Immutable;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rules;

/// <summary>Why the bytes of a rule were refused.</summary>
public enum RuleError
{
    /// <summary>The bytes are not a rule.</summary>
    Malformed,

    /// <summary>A newer program wrote it in a way this one cannot even skip. Upgrading helps.</summary>
    NewerFormat,
}

/// <summary>
/// The bytes of a rule: docs/formats/rule.md. Tagged fields in ascending order; what is unsaid has no field.
/// </summary>
public static class RuleCodec
{
    /// <summary>The format written, and the newest one read.</summary>
    public const byte Version = 1;

    /// <summary>The longest encoding.</summary>
    public const int BytesMax = 64 * 1024;

    private enum Tag : byte
    {
        Copies = 1,
        Coding = 2,
        RequiredTags = 3,
        ForbiddenTags = 4,
        Zones = 5,
        SpreadOverZones = 6,
        Cache = 7,
        KeepAll = 8,
        Conflicts = 10,
        KeepDaily = 11,
        KeepLast = 12,
        ConflictsMore = 13,
        ConflictsUser = 14,
    }

    /// <summary>Encodes a valid rule.</summary>
    public static byte[] Encode(Rule rule)
    {
        Invariant.That(rule.FindProblem() is null, $"an invalid rule: {rule.FindProblem()}");
        List<RuleField> fields = [.. rule.Unknown];
        Number(fields, Tag.Copies, rule.Copies);
        if (rule.Coding is { } coding)
        {
            fields.Add(new RuleField((byte)Tag.Coding, [coding.DataShards, coding.ParityShards]));
        }

        Labels(fields, Tag.RequiredTags, rule.RequiredTags);
        Labels(fields, Tag.ForbiddenTags, rule.ForbiddenTags);
        Labels(fields, Tag.Zones, rule.Zones);
        Number(fields, Tag.SpreadOverZones, rule.SpreadOverZones is { } spread ? (spread ? 1 : 0) : null);
        Number(fields, Tag.Cache, (int?)rule.Cache);
        Number(fields, Tag.KeepAll, rule.Keep?.AllDays);
        Conflicts(fields, rule.Conflicts);
        Number(fields, Tag.KeepDaily, rule.Keep is { DailyDays: > 0 and int daily } ? daily : null);
        Number(fields, Tag.KeepLast, rule.Keep is { Last: > 0 and int last } ? last : null);
        ArrayBufferWriter<byte> output = new(64);
        WireWriter writer = new(output);
        writer.Byte(Version);
        foreach (RuleField field in fields.OrderBy(field => field.Tag))
        {
            writer.Byte(field.Tag);
            writer.LengthPrefixed(field.Value.AsSpan());
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Decodes bytes from anywhere.</summary>
    public static Result<Rule, RuleError> Decode(ReadOnlySpan<byte> bytes)
    {
        WireReader reader = new(bytes);
        reader.Require(bytes.Length <= BytesMax);
        byte version = reader.Byte();
        if (!reader.Failed && version > Version)
        {
            return RuleError.NewerFormat;
        }

        reader.Require(version == Version);
        Rule rule = Rule.Empty;
        int lastTag = 0;
        while (!reader.Failed && reader.Remaining > 0)
        {
            byte tag = reader.Byte();
            reader.Require(tag > lastTag);
            lastTag = tag;
            WireReader value = new(reader.LengthPrefixed());
            rule = Take(rule, tag, ref value);
            reader.Require(value.Complete);
        }

        return reader.Complete && rule.FindProblem() is null ? rule : RuleError.Malformed;
    }

    private static Rule Take(Rule rule, byte tag, ref WireReader value) => (Tag)tag switch
    {
        Tag.Copies => rule with { Copies = Number(ref value, int.MaxValue) },
        Tag.Coding => rule with { Coding = new CodingRule(value.Byte(), value.Byte()) },
        Tag.RequiredTags => rule with { RequiredTags = Labels(ref value) },
        Tag.ForbiddenTags => rule with { ForbiddenTags = Labels(ref value) },
        Tag.Zones => rule with { Zones = Labels(ref value) },
        Tag.SpreadOverZones => rule with { SpreadOverZones = Number(ref value, 1) == 1 },
        Tag.Cache => rule with { Cache = (CacheMode)Number(ref value, (int)CacheMode.Never) },
        Tag.Conflicts => rule with
        {
            Conflicts = new ConflictRule((ConflictMode)Number(ref value, (int)ConflictMode.Newest)),
        },
        Tag.ConflictsMore => rule with
        {
            Conflicts = new ConflictRule(
                (ConflictMode)Number(ref value, (int)ConflictMode.MergeText),
                WireText.Read(ref value, ConflictRule.NodesBytesMax)),
        },
        Tag.ConflictsUser => rule with
        {
            Conflicts = new ConflictRule(
                ConflictMode.PreferUser,
                User: WireText.Read(ref value, ConflictRule.UserBytesMax),
                Nodes: WireText.Read(ref value, ConflictRule.NodesBytesMax)),
        },
        Tag.KeepAll => rule with { Keep = Kept(rule) with { AllDays = Number(ref value, Retention.DaysMax) } },
        Tag.KeepDaily => rule with { Keep = Kept(rule) with { DailyDays = Number(ref value, Retention.DaysMax) } },
        Tag.KeepLast => rule with { Keep = Kept(rule) with { Last = Number(ref value, int.MaxValue) } },
        _ => rule with { Unknown = rule.Unknown.Add(new RuleField(tag, [.. value.Raw(value.Remaining)])) },
    };

    /// <summary>The first program knew two ways, the second four; they pass on what they do not know under tags of their own.</summary>
    private static void Conflicts(List<RuleField> fields, ConflictRule? rule)
    {
        if (rule is not { } conflicts)
        {
            return;
        }

        if (conflicts.Mode <= ConflictMode.Newest)
        {
            Number(fields, Tag.Conflicts, (int)conflicts.Mode);
            return;
        }

        ArrayBufferWriter<byte> value = new(32);
        WireWriter writer = new(value);
        if (conflicts.Mode == ConflictMode.PreferUser)
        {
            WireText.Write(writer, conflicts.User, ConflictRule.UserBytesMax);
            WireText.Write(writer, conflicts.Nodes, ConflictRule.NodesBytesMax);
            fields.Add(new RuleField((byte)Tag.ConflictsUser, [.. value.WrittenSpan]));
            return;
        }

        writer.VarUInt((ulong)conflicts.Mode);
        WireText.Write(writer, conflicts.Nodes, ConflictRule.NodesBytesMax);
        fields.Add(new RuleField((byte)Tag.ConflictsMore, [.. value.WrittenSpan]));
    }

    private static Retention Kept(Rule rule) => rule.Keep ?? Retention.None;

    private static void Number(List<RuleField> fields, Tag tag, int? number)
    {
        if (number is { } present)
        {
            ArrayBufferWriter<byte> value = new(8);
            new WireWriter(value).VarUInt((ulong)present);
            fields.Add(new RuleField((byte)tag, [.. value.WrittenSpan]));
        }
    }

    private static void Labels(List<RuleField> fields, Tag tag, ImmutableArray<string>? labels)
    {
        if (labels is { } present)
        {
            ArrayBufferWriter<byte> value = new(64);
            WireWriter inner = new(value);
            inner.Count(present.Length);
            foreach (string label in present)
            {
                WireText.Write(inner, label, NodeRecord.TextBytesMax);
            }

            fields.Add(new RuleField((byte)tag, [.. value.WrittenSpan]));
        }
    }

    private static int Number(ref WireReader value, int max)
    {
        ulong number = value.VarUInt();
        value.Require(number <= (ulong)max);
        return value.Failed ? 0 : (int)number;
    }

    private static ImmutableArray<string> Labels(ref WireReader value)
    {
        int count = value.Count();
        ImmutableArray<string>.Builder labels = ImmutableArray.CreateBuilder<string>();
        for (int i = 0; i < count && !value.Failed; i++)
        {
            labels.Add(WireText.Read(ref value, NodeRecord.TextBytesMax));
        }

        return labels.ToImmutable();
    }
}
