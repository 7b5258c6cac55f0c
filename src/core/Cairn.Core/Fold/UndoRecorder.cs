using System.Runtime.InteropServices;
using Cairn.Core.Fold.Tables;

namespace Cairn.Core.Fold;

/// <summary>A key's value before a transaction touched it.</summary>
internal readonly record struct PreImage(TableBytes Key, TableBytes Before);

/// <summary>A key's value before a batch of transactions touched it, and now.</summary>
internal record struct KeyChange(TableBytes Before, TableBytes Now)
{
    /// <summary>Whether they differ.</summary>
    internal readonly bool IsReal => Now != Before;
}

/// <summary>The state as an applier sees it: writes go through and leave their pre-images.</summary>
internal sealed class UndoRecorder(ITreeTable inner) : ITreeTable
{
    private readonly PreImages _images = new();

    /// <summary>Whether pre-images are wanted; alone, nothing can ever arrive late.</summary>
    internal bool Recording { get; set; } = true;

    /// <summary>When set, the first and the last value of every key touched are noted here.</summary>
    internal Dictionary<TableBytes, KeyChange>? Changes { get; set; }

    public TableBytes Find(ReadOnlySpan<byte> key) => inner.Find(key);

    public TableWrite Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Record(inner.Set(key, value));

    public TableWrite Remove(ReadOnlySpan<byte> key) => Record(inner.Remove(key));

    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => inner.Scan(from, to);

    /// <summary>The pre-images since the last call, in the order of writing.</summary>
    internal ReadOnlyMemory<PreImage> Take() => _images.Take();

    /// <summary>Restores the state before the transaction that left these.</summary>
    internal void Undo(ReadOnlyMemory<PreImage> undone)
    {
        ReadOnlySpan<PreImage> images = undone.Span;
        for (int i = images.Length - 1; i >= 0; i--)
        {
            (TableBytes key, TableBytes before) = images[i];
            Note(before.IsAbsent ? inner.Remove(key.Span) : inner.Set(key.Span, before.Span));
        }
    }

    private TableWrite Record(TableWrite write)
    {
        if (Recording && !write.Key.IsAbsent)
        {
            _images.Add(write.Key, write.Before);
        }

        Note(write);
        return write;
    }

    private void Note(TableWrite write)
    {
        if (Changes is not null && !write.Key.IsAbsent)
        {
            ref KeyChange change =
                ref CollectionsMarshal.GetValueRefOrAddDefault(Changes, write.Key, out bool isKnown);
            change = new KeyChange(isKnown ? change.Before : write.Before, write.Now);
        }
    }
}
