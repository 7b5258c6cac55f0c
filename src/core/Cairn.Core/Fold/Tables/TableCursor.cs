namespace Cairn.Core.Fold.Tables;

/// <summary>A walk over a table.</summary>
public abstract class TableCursor
{
    private byte[]? _key;
    private byte[]? _value;

    /// <summary>The key at the cursor, after a successful <see cref="MoveNext"/>.</summary>
    public TableBytes KeyBytes { get; private set; }

    /// <summary>The value at the cursor.</summary>
    public TableBytes ValueBytes { get; private set; }

    /// <summary>The key at the cursor as an array that nobody may change.</summary>
    public byte[] Key => _key ??= KeyBytes.AsArray() ?? [];

    /// <summary>The value at the cursor as an array that nobody may change.</summary>
    public byte[] Value => _value ??= ValueBytes.AsArray() ?? [];

    /// <summary>Moves to the next key; false at the end.</summary>
    public abstract bool MoveNext();

    /// <summary>Where the cursor is now. Returns true, for <see cref="MoveNext"/>.</summary>
    protected bool StandAt(TableBytes key, TableBytes value)
    {
        (KeyBytes, ValueBytes) = (key, value);
        (_key, _value) = (null, null);
        return true;
    }
}
