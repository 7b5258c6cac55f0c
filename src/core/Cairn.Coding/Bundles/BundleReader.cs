using System.Buffers.Binary;
using System.Collections.Immutable;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Bundles;

/// <summary>One file in a bundle.</summary>
/// <param name="Offset">Its first byte in the chunk's plain bytes.</param>
/// <param name="Length">Bytes, at least 1.</param>
public readonly record struct BundleItem(int Offset, int Length);

/// <summary>Tells what a bundle holds, from its opened plain bytes.</summary>
/// <remarks>
/// No reader of files needs it, for a manifest names chunk, offset and length. It is for whoever rewrites bundles that are
/// mostly dead, which nobody does yet; the format is fixed all the same. Source: docs/formats/bundle.md. Thread: any.
/// </remarks>
public static class BundleReader
{
    /// <summary>The items in order; never throws on bad input.</summary>
    public static Result<ImmutableArray<BundleItem>, BundleError> Read(ReadOnlySpan<byte> plain)
    {
        if (plain.Length < BundleFormat.FooterSize || !plain[^3..].SequenceEqual(BundleFormat.Magic))
        {
            return BundleError.Malformed;
        }

        ReadOnlySpan<byte> footer = plain[^BundleFormat.FooterSize..];
        if (footer[8] != BundleFormat.Version)
        {
            return footer[8] > BundleFormat.Version ? BundleError.NewerFormat : BundleError.Malformed;
        }

        int count = BinaryPrimitives.ReadInt32LittleEndian(footer);
        int tableLength = BinaryPrimitives.ReadInt32LittleEndian(footer[4..]);
        int body = plain.Length - BundleFormat.FooterSize;
        if (count <= 0 || tableLength < count || tableLength > body)
        {
            return BundleError.Malformed;
        }

        int itemBytes = body - tableLength;
        WireReader reader = new(plain.Slice(itemBytes, tableLength));
        ImmutableArray<BundleItem>.Builder items = ImmutableArray.CreateBuilder<BundleItem>(count);
        int offset = 0;
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            ulong length = reader.VarUInt();
            reader.Require(length > 0 && length <= (ulong)(itemBytes - offset));
            items.Add(new BundleItem(offset, (int)length));
            offset += reader.Failed ? 0 : (int)length;
        }

        return reader.Complete && offset == itemBytes ? items.DrainToImmutable() : BundleError.Malformed;
    }
}
