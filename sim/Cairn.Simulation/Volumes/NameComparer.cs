namespace Cairn.Simulation.Volumes;

/// <summary>Compares names as bytes, and finds them by a span without allocating.</summary>
internal sealed class NameComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static NameComparer Instance { get; } = new();

    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

    /// <summary>FNV-1a: the same in every run, so that nothing depends on a process's seed.</summary>
    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte b in alternate)
        {
            hash = (hash ^ b) * 0x100000001B3;
        }

        return (int)(hash ^ (hash >> 32));
    }
}
