namespace Cairn.Core.Fold.Tables;

/// <summary>Tables for who works with arrays: one copy more, one look less at what is absent.</summary>
public static class TableAccess
{
    /// <summary>The value of a key as an array that nobody may change, or null.</summary>
    public static byte[]? Get(this ITableSource table, ReadOnlySpan<byte> key) => table.Find(key).AsArray();

    /// <summary>Sets a key, or takes it out when <paramref name="value"/> is null.</summary>
    /// <returns>The value before.</returns>
    public static TableBytes Put(this ITreeTable table, ReadOnlySpan<byte> key, byte[]? value) =>
        (value is null ? table.Remove(key) : table.Set(key, value)).Before;
}
