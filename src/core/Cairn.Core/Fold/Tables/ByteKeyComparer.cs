namespace Cairn.Core.Fold.Tables;

/// <summary>Byte arrays compared by content. The hash never orders anything.</summary>
public sealed class ByteKeyComparer : IEqualityComparer<byte[]>
{
    private ByteKeyComparer()
    {
    }

    /// <summary>The only one there need be.</summary>
    public static ByteKeyComparer Instance { get; } = new();

    /// <inheritdoc/>
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    /// <inheritdoc/>
    public int GetHashCode(byte[] obj) => (int)TableKey.Hash(obj);
}
