namespace Cairn.Coding.Bundles;

/// <summary>The numbers of docs/formats/bundle.md: items, then their lengths, then a footer.</summary>
internal static class BundleFormat
{
    public const byte Version = 1;

    /// <summary>Item count, table length, version, magic.</summary>
    public const int FooterSize = 12;

    /// <summary>The longest VarUInt of a length up to 4 MiB.</summary>
    public const int LengthBytesMax = 4;

    /// <summary>The last three bytes of a bundle.</summary>
    public static ReadOnlySpan<byte> Magic => "CBN"u8;
}
