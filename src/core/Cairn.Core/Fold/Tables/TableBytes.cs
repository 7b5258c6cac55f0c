namespace Cairn.Core.Fold.Tables;

/// <summary>A key or a value of a table: mostly a part of a page that many share, so that no record is an object of its own.</summary>
/// <remarks>
/// The bytes never change. The default stands for absence, which is not the same as no bytes. Whoever keeps one keeps its
/// page in memory. Two are equal when their bytes are.
/// </remarks>
public readonly struct TableBytes : IEquatable<TableBytes>
{
    private readonly byte[]? _page;
    private readonly int _start;
    private readonly int _length;

    /// <summary>A part of a page whose bytes are not written again.</summary>
    internal TableBytes(byte[] page, int start, int length) => (_page, _start, _length) = (page, start, length);

    /// <summary>In a layer above other tables: the key is not there, whatever those say.</summary>
    internal static TableBytes Gone { get; } = Of(new byte[1]);

    /// <summary>The whole of an array that nobody changes from now on; null for absence.</summary>
    public static TableBytes Of(byte[]? bytes) => bytes is null ? default : new TableBytes(bytes, 0, bytes.Length);

    /// <summary>Whether there is nothing.</summary>
    public bool IsAbsent => _page is null;

    /// <summary>How many bytes.</summary>
    public int Length => _length;

    /// <summary>The bytes; none for absence.</summary>
    public ReadOnlySpan<byte> Span => new(_page, _start, _length);

    /// <summary>The bytes, to be kept.</summary>
    public ReadOnlyMemory<byte> Memory => new(_page, _start, _length);

    /// <summary>Whether it is <see cref="Gone"/>.</summary>
    internal bool IsGone => IsSameAs(Gone);

    /// <summary>The bytes as an array that nobody may change; null for absence. A copy, unless they are a whole array.</summary>
    public byte[]? AsArray() => _page is null || _page.Length == _length ? _page : Span.ToArray();

    /// <summary>Whether it is the same place in the same page.</summary>
    internal bool IsSameAs(TableBytes other) =>
        ReferenceEquals(_page, other._page) && _start == other._start && _length == other._length;

    /// <inheritdoc/>
    public bool Equals(TableBytes other) => IsAbsent == other.IsAbsent && Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TableBytes other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)TableKey.Hash(Span);

    /// <summary>The same bytes.</summary>
    public static bool operator ==(TableBytes left, TableBytes right) => left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(TableBytes left, TableBytes right) => !left.Equals(right);
}
