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
        KeepVersionsDays = 8,
        KeepDeletedDays = 9,
        Conflicts = 10,
    }

    /// <summary>Encodes a valid rule.</summary>
    public static byte[] Encode(Rule rule)
    {
        Invariant.That(rule.FindProblem() is null, $"an invalid rule: {rule.FindProblem()}");
        ArrayBufferWriter<byte> output = new(64);
        WireWriter writer = new(output);
        writer.Byte(Version);
        Number(writer, Tag.Copies, rule.Copies);
        if (rule.Coding is { } coding)
        {
            Field(writer, (byte)Tag.Coding, [coding.DataShards, coding.ParityShards]);
        }

        Labels(writer, Tag.RequiredTags, rule.RequiredTags);
        Labels(writer, Tag.ForbiddenTags, rule.ForbiddenTags);
        Labels(writer, Tag.Zones, rule.Zones);
        Number(writer, Tag.SpreadOverZones, rule.SpreadOverZones is { } spread ? (spread ? 1 : 0) : null);
        Number(writer, Tag.Cache, (int?)rule.Cache);
        Number(writer, Tag.KeepVersionsDays, rule.KeepVersionsDays);
        Number(writer, Tag.KeepDeletedDays, rule.KeepDeletedDays);
        Number(writer, Tag.Conflicts, (int?)rule.Conflicts);
        foreach (RuleField field in rule.Unknown)
        {
            Field(writer, field.Tag, field.Value.AsSpan());
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
        Tag.KeepVersionsDays => rule with { KeepVersionsDays = Number(ref value, int.MaxValue) },
        Tag.KeepDeletedDays => rule with { KeepDeletedDays = Number(ref value, int.MaxValue) },
        Tag.Conflicts => rule with { Conflicts = (ConflictMode)Number(ref value, (int)ConflictMode.NewestShown) },
        _ => rule with { Unknown = rule.Unknown.Add(new RuleField(tag, [.. value.Raw(value.Remaining)])) },
    };

    private static void Field(WireWriter writer, byte tag, ReadOnlySpan<byte> value)
    {
        writer.Byte(tag);
        writer.LengthPrefixed(value);
    }

    private static void Number(WireWriter writer, Tag tag, int? number)
    {
        if (number is { } present)
        {
            ArrayBufferWriter<byte> value = new(8);
            new WireWriter(value).VarUInt((ulong)present);
            Field(writer, (byte)tag, value.WrittenSpan);
        }
    }

    private static void Labels(WireWriter writer, Tag tag, ImmutableArray<string>? labels)
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

            Field(writer, (byte)tag, value.WrittenSpan);
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
