namespace Cairn.Core.Fold;

/// <summary>Byte arrays compared by content.</summary>
internal sealed class ByteKeyComparer : IEqualityComparer<byte[]>
{
    internal static ByteKeyComparer Instance { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] obj) => (int)TableKey.Hash(obj);
}
