using System.Buffers;
using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Rules;

/// <summary>The bytes of a node's pins: docs/formats/pool-home.md.</summary>
public static class PinList
{
    /// <summary>The format written, and the newest one read.</summary>
    public const byte Version = 1;

    /// <summary>More pins than that are refused.</summary>
    public const int CountMax = 10_000;

    /// <summary>The most days that a pin of what is recent looks back.</summary>
    public const int DaysMax = 36_500;

    /// <summary>Encodes pins in their order.</summary>
    public static byte[] Encode(IReadOnlyCollection<Pin> pins)
    {
        ArrayBufferWriter<byte> output = new(64);
        WireWriter writer = new(output);
        writer.Byte(Version);
        writer.Count(pins.Count);
        foreach (Pin pin in pins)
        {
            writer.Bytes16(pin.Volume.Value);
            writer.Bytes16(pin.Object.Value);
            writer.Bytes16(pin.Parent.Value);
            writer.LengthPrefixed(pin.Name.Span);
            writer.VarUInt((ulong)pin.RecentDays);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Decodes; null if these are no pins, or of a newer program.</summary>
    public static ImmutableArray<Pin>? Decode(ReadOnlySpan<byte> bytes)
    {
        WireReader reader = new(bytes);
        reader.Require(reader.Byte() == Version);
        int count = reader.Count((3 * Bytes16.Size) + 2);
        reader.Require(count <= CountMax);
        ImmutableArray<Pin>.Builder pins = ImmutableArray.CreateBuilder<Pin>();
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            pins.Add(new Pin
            {
                Volume = new VolumeId(reader.Bytes16()),
                Object = new ObjectId(reader.Bytes16()),
                Parent = new ObjectId(reader.Bytes16()),
                Name = reader.LengthPrefixed(Transaction.NameBytesMax).ToArray(),
                RecentDays = Days(ref reader),
            });
        }

        return reader.Complete ? pins.ToImmutable() : null;
    }

    private static int Days(ref WireReader reader)
    {
        ulong days = reader.VarUInt();
        reader.Require(days <= DaysMax);
        return reader.Failed ? 0 : (int)days;
    }
}
