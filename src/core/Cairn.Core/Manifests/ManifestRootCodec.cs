using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Core.Manifests;

/// <summary>A manifest root as bytes and back.</summary>
/// <remarks>Source: docs/formats/manifest.md, "Manifest root".</remarks>
public static class ManifestRootCodec
{
    private const byte FormInline = 0;
    private const byte FormChunked = 1;

    /// <summary>The encoded root as a new array.</summary>
    public static byte[] Encode(ManifestRoot root)
    {
        ArrayBufferWriter<byte> output = new(256);
        Encode(root, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Appends the encoded root.</summary>
    public static void Encode(ManifestRoot root, IBufferWriter<byte> output)
    {
        WireWriter writer = new(output);
        switch (root)
        {
            case ManifestRoot.Inline inline:
                writer.Byte(FormInline);
                ManifestCodec.Encode(inline.Manifest, output);
                break;
            case ManifestRoot.Chunked chunked:
                writer.Byte(FormChunked);
                writer.VarUInt((ulong)chunked.SizeBytes);
                writer.VarUInt((ulong)chunked.DataBytes);
                ManifestCodec.Encode(chunked.Body, output);
                break;
            default:
                Invariant.Fail($"a root of type {root.GetType()}");
                break;
        }
    }

    /// <summary>Reads what <see cref="Encode(ManifestRoot)"/> wrote; never throws on bad input.</summary>
    public static Result<ManifestRoot, ManifestError> Decode(ReadOnlySpan<byte> bytes)
    {
        WireReader reader = new(bytes);
        switch (reader.Byte())
        {
            case FormInline when !reader.Failed:
                return ManifestCodec.Decode(bytes[1..]).TryGet(out Manifest? manifest, out ManifestError inlineError)
                    ? new ManifestRoot.Inline(manifest)
                    : inlineError;
            case FormChunked:
                ulong size = reader.VarUInt();
                ulong data = reader.VarUInt();
                if (reader.Failed || size > long.MaxValue || data > size)
                {
                    return ManifestError.Malformed;
                }

                ReadOnlySpan<byte> rest = bytes[^reader.Remaining..];
                return ManifestCodec.Decode(rest).TryGet(out Manifest? body, out ManifestError error)
                    ? new ManifestRoot.Chunked((long)size, (long)data, body)
                    : error;
            default:
                return ManifestError.Malformed;
        }
    }
}
