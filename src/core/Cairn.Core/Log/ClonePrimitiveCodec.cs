using System.Diagnostics;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>Bytes of the primitives about clones: docs/formats/transaction.md, tags 44 to 46.</summary>
internal static class ClonePrimitiveCodec
{
    private const int NameBytesMax = 255;

    internal static void Encode(WireWriter writer, Primitive primitive)
    {
        switch (primitive)
        {
            case CloneVolume p:
                writer.Bytes16(p.Volume.Value);
                writer.LengthPrefixed(p.Name.Span);
                writer.Count(p.Origins.Length);
                foreach (CloneOrigin origin in p.Origins)
                {
                    writer.Bytes16(origin.Volume.Value);
                    writer.Bytes16(origin.Snapshot);
                    origin.Seen.Encode(writer);
                }

                break;
            case CompleteClone p:
                writer.Bytes16(p.Volume.Value);
                break;
            case RemoveClone p:
                writer.Bytes16(p.Volume.Value);
                PoolPrimitiveCodec.EncodeSeen(writer, p.Seen);
                break;
            default:
                throw new UnreachableException();
        }
    }

    internal static Primitive Decode(ref WireReader reader, PrimitiveKind kind)
    {
        VolumeId volume = new(reader.Bytes16());
        switch (kind)
        {
            case PrimitiveKind.CloneVolume:
                return DecodeClone(ref reader, volume);
            case PrimitiveKind.CompleteClone:
                return new CompleteClone(volume);
            default:
                return new RemoveClone(volume, PoolPrimitiveCodec.DecodeSeen(ref reader));
        }
    }

    private static CloneVolume DecodeClone(ref WireReader reader, VolumeId volume)
    {
        byte[] name = reader.LengthPrefixed(NameBytesMax).ToArray();
        var origins = new CloneOrigin[reader.Count((2 * Bytes16.Size) + 1)];
        for (int i = 0; i < origins.Length && !reader.Failed; i++)
        {
            origins[i] = new CloneOrigin(
                new VolumeId(reader.Bytes16()), reader.Bytes16(), LogPositions.Decode(ref reader));
        }

        reader.Require(origins.Length > 0);
        return new CloneVolume(volume, name, ImmutableCollectionsMarshal.AsImmutableArray(origins));
    }
}
