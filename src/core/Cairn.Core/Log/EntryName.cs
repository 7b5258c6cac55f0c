namespace Cairn.Core.Log;

/// <summary>What may be a name of an entry: bytes, not text.</summary>
public static class EntryName
{
    /// <summary>1 to 255 bytes, no '/', no NUL, not "." and not "..".</summary>
    public static bool IsValid(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= Transaction.NameBytesMax
        && name.IndexOfAny((byte)0, (byte)'/') < 0
        && !name.SequenceEqual("."u8)
        && !name.SequenceEqual(".."u8);
}
